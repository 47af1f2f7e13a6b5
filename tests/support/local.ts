import { type ChildProcess, execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type postgres from 'postgres'
import { onTestFinished } from 'vitest'
import { type Account, isRoot, obstacle, ownAccount, unprivilegedAccount } from '../../src/local/account.ts'
import { type LocalServer, startServer } from '../../src/local/server.ts'
import { isAlive } from '../../src/local/temporary.ts'
import { removeServer, SCRATCH_SETTINGS } from './server.ts'
import { connect } from './templates.ts'

const SCRIPT = fileURLToPath(new URL('./start-server.ts', import.meta.url))
const TSX = import.meta.resolve('tsx')

export const scratch = { port: 0, settings: SCRATCH_SETTINGS }

/** A directory for a server, inside one with the given mode; both go when the test ends, the server first. */
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

export type Outcome = LocalServer & { started: boolean; notes: string[] }

/** Starts a server in a process of its own, which has ended when this resolves. */
export function startInProcess(
  directory: string,
  options: {
    port?: number
    account?: Account
    script?: string
    onProcess?: (child: ChildProcess) => void
  } = {},
): Promise<Outcome> {
  const { port = 0, account, script = SCRIPT, onProcess } = options
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['--import', TSX, script, directory, String(port)],
      account?.other ? { uid: account.uid, gid: account.gid, cwd: '/' } : { cwd: '/' },
      (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout))
        else reject(new Error(stderr || error.message))
      },
    )
    onProcess?.(child)
  })
}

/** Somebody who is not root: oneself, or for root somebody else. */
export async function ordinaryUser(): Promise<Account> {
  return isRoot() ? unprivilegedAccount() : ownAccount()
}

/** Whether a process of that account could read this project and run node. */
export async function canRunTests(account: Account): Promise<boolean> {
  const needed = [process.execPath, dirname(SCRIPT), dirname(fileURLToPath(TSX))]
  const blocked = await Promise.all(needed.map(path => obstacle(path, account)))
  return blocked.every(path => path === undefined)
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
  return Number.parseInt(await readFile(join(directory, 'postgres/data/postmaster.pid'), 'utf8'), 10)
}

/** Whether the process runs, or is still there only because nobody has asked how it ended. */
export async function isRunning(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== ''
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
