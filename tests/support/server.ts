import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dataDirectory } from '../../src/local/directory.ts'
import { findServer, startServer, stopServer } from '../../src/local/server.ts'
import { dockerAnswers } from './docker.ts'
import { hashOf } from './hash.ts'
import { cache } from './root.ts'

/** A PostgreSQL server for test runs. */
export interface TestServer {
  kind: string
  /** As superuser. */
  url: string
  /** Whether other runs use it too, and the next one finds what this one leaves. */
  shared: boolean
  stop: () => Promise<void>
}

/** Test data need not survive a crash of the machine; and autovacuum would take locks at moments of its own. */
export const SCRATCH_SETTINGS = { fsync: 'off', full_page_writes: 'off', autovacuum: 'off' }

/** The first there is of: a server given, a container, the embedded server. */
export async function startTestServer(): Promise<TestServer> {
  const { TEST_DATABASE_URL, TEST_POSTGRES_IMAGE } = process.env
  if (TEST_DATABASE_URL) {
    return { kind: 'TEST_DATABASE_URL', url: TEST_DATABASE_URL, shared: false, stop: async () => {} }
  }
  if (await dockerAnswers()) {
    try {
      return await startContainer(TEST_POSTGRES_IMAGE || 'postgres:17-alpine')
    } catch (error) {
      // Whoever asks for an image wants that version tested, and not another in its place.
      if (TEST_POSTGRES_IMAGE) throw error
      console.warn(`No container (${error instanceof Error ? error.message : error})`)
    }
  } else if (TEST_POSTGRES_IMAGE) {
    throw new Error(`TEST_POSTGRES_IMAGE is ${TEST_POSTGRES_IMAGE}, but no Docker engine answers`)
  }
  return startEmbedded()
}

async function startContainer(image: string): Promise<TestServer> {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  const settings = Object.entries(SCRATCH_SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const starting = new PostgreSqlContainer(image)
    .withCommand(['postgres', ...settings, '-c', 'max_connections=200'])
    .withTmpFs({ '/var/lib/postgresql': 'rw' })
    .start()
  const container = await within(180_000, starting, async () => (await starting).stop())
  return {
    kind: `Testcontainers ${image}`,
    url: container.getConnectionUri(),
    shared: false,
    stop: async () => {
      await container.stop()
    },
  }
}

/** Its data directory is named for the code that makes it, and kept for the next run. */
async function startEmbedded(): Promise<TestServer> {
  const name = `postgres-${hashOf('src/local')}`
  for (const other of await readdir(cache).catch(() => [])) {
    if (!other.startsWith('postgres-') || other === name) continue
    // A run of other code may be using it.
    if (!(await findServer(join(cache, other)).catch(() => undefined))) await removeServer(join(cache, other))
  }
  const directory = join(cache, name)
  const settings = { ...SCRATCH_SETTINGS, max_connections: '200' }
  // Also where root's server keeps its data elsewhere: a run of other code finds it by this name.
  await mkdir(directory, { recursive: true })
  const server = await startServer({ directory, port: 0, settings })
  const url = new URL(server.adminUrl)
  url.pathname = '/postgres'
  return {
    kind: 'embedded',
    url: url.href,
    shared: true,
    stop: async () => {
      await stopServer(directory)
    },
  }
}

/** Stops a server and removes its data directory, which is not the one asked for if root started it. */
export async function removeServer(directory: string): Promise<void> {
  await stopServer(directory)
  for (const path of [dataDirectory(directory).path, directory]) {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function within<T>(ms: number, promise: Promise<T>, late: () => Promise<unknown>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not ready after ${ms / 1000} s`))
      late().catch(() => {})
    }, ms)
  })
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}
