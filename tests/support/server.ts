import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPlace } from '../../src/local/place.ts'
import { startServer, stopServer } from '../../src/local/server.ts'
import { isAlive } from '../../src/local/temporary.ts'
import { dockerAnswers } from './docker.ts'

/** A PostgreSQL server for one run of the tests. */
export interface TestServer {
  kind: string
  /** As superuser. */
  url: string
  stop: () => Promise<void>
}

const PREFIX = 'agents-db-test-'

/** A scratch server is thrown away: it need not survive the machine, only itself. */
export const SCRATCH_SETTINGS = { fsync: 'off', full_page_writes: 'off' }

/** The first there is of: a server given, a container, the embedded server. */
export async function startTestServer(): Promise<TestServer> {
  const { TEST_DATABASE_URL, TEST_POSTGRES_IMAGE } = process.env
  if (TEST_DATABASE_URL) {
    return { kind: 'TEST_DATABASE_URL', url: TEST_DATABASE_URL, stop: async () => {} }
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
    stop: async () => {
      await container.stop()
    },
  }
}

async function startEmbedded(): Promise<TestServer> {
  await clearLeftovers()
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  try {
    const settings = { ...SCRATCH_SETTINGS, max_connections: '200' }
    const server = await startServer({ directory, port: 0, settings })
    return { kind: 'embedded', url: server.adminUrl, stop: () => removeServer(directory) }
  } catch (error) {
    await removeServer(directory)
    throw error
  }
}

/** Stops a server and removes what it kept, also where that is not the directory asked for. */
export async function removeServer(directory: string): Promise<void> {
  const place = await findPlace(directory)
  await stopServer(directory)
  for (const path of [place?.directory ?? directory, directory]) {
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A killed run stops nothing: its server goes with the next one. */
async function clearLeftovers(): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    const pid = entry.startsWith(PREFIX) ? Number.parseInt(entry.slice(PREFIX.length), 10) : Number.NaN
    if (Number.isNaN(pid) || isAlive(pid)) continue
    // Another user's are not ours to remove.
    await removeServer(join(tmpdir(), entry)).catch(() => {})
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
