import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type postgres from 'postgres'
import { onTestFinished } from 'vitest'
import { dataDirectory } from '../../src/local/directory.ts'
import { type LocalServer, startServer } from '../../src/local/server.ts'
import { compiled } from './compiled.ts'
import { removeServer, SCRATCH_SETTINGS } from './server.ts'
import { connect } from './templates.ts'

export const scratch = { port: 0, settings: SCRATCH_SETTINGS }

/** A directory to ask for, inside one with the given mode. Both go when the test ends, its server first. */
export async function serverDirectory(mode = 0o755): Promise<string> {
  const { directory, remove } = await makeServerDirectory(mode)
  onTestFinished(remove)
  return directory
}

export async function makeServerDirectory(mode = 0o755) {
  const parent = await mkdtemp(join(tmpdir(), 'agents-db-local-'))
  await chmod(parent, mode)
  const directory = join(parent, '.data')
  const remove = async () => {
    await removeServer(directory)
    await rm(parent, { recursive: true, force: true })
  }
  return { directory, remove }
}

export async function start(directory: string) {
  return startServer({ ...scratch, directory })
}

interface Started extends LocalServer {
  started: boolean
  notes: string[]
}

/** Starts a server in a process of its own, which has ended when `server` resolves. */
export async function launch(directory: string, as: { uid?: number; gid?: number } = {}) {
  const script = await compiled('tests/support/start-server.ts')
  const running = promisify(execFile)(process.execPath, [script, directory], { cwd: '/', ...as })
  const server = running.then(
    ({ stdout }): Started => JSON.parse(stdout),
    error => {
      throw new Error(error.stderr || error.message)
    },
  )
  return { child: running.child, server }
}

export async function startInProcess(...args: Parameters<typeof launch>): Promise<Started> {
  return (await launch(...args)).server
}

/** Occupies a port, any free one by default. */
export async function occupy(wanted = 0): Promise<{ port: number; release: () => Promise<unknown> }> {
  const listener = createServer().listen(wanted, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return { port, release: () => once(listener.close(), 'close') }
}

/** Waits for a condition that nothing announces. */
export async function until<T>(condition: () => Promise<T>): Promise<NonNullable<T>> {
  for (const end = Date.now() + 240_000; Date.now() < end; await delay(2)) {
    const value = await condition().catch(() => undefined)
    if (value) return value
  }
  throw new Error(`never became true: ${condition}`)
}

export async function postmasterPid(directory: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDirectory(directory).data, 'postmaster.pid'), 'utf8'), 10)
}

/** Connects, asks, disconnects. */
export async function ask<T>(url: string, question: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = connect(url, { max: 1 })
  try {
    return await question(sql)
  } finally {
    // At once: after a crash there is nobody left to say goodbye to.
    await sql.end({ timeout: 0 })
  }
}

/** The same for one statement. */
export const answerOf =
  (url: string) =>
  (text: TemplateStringsArray): Promise<postgres.RowList<postgres.Row[]>> =>
    ask(url, sql => sql(text))

export const answers = (url: string) => answerOf(url)`select 1 as one`
