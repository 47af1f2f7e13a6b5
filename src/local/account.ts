import { execFile } from 'node:child_process'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Who runs the server. PostgreSQL refuses to run as root, so root runs it as somebody else. */
export interface Account {
  uid: number
  gid: number
  name: string
  /** Whether that is somebody else than who runs this process. */
  other: boolean
}

export const isRoot = () => process.getuid?.() === 0

export function ownAccount(): Account {
  if (process.getuid === undefined || process.getgid === undefined) {
    throw new Error(
      'The local PostgreSQL server runs on Linux and macOS. On Windows use WSL, or set DATABASE_URL to a server.',
    )
  }
  const uid = process.getuid()
  return { uid, gid: process.getgid(), name: `uid ${uid}`, other: false }
}

/** The unprivileged user under whom root runs a server. */
export async function unprivilegedAccount(): Promise<Account> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  for (const wanted of ['nobody', 'postgres', 'daemon']) {
    const [name, , uid, gid] = users.find(([name]) => name === wanted) ?? []
    if (name !== undefined && Number(uid) > 0) {
      return { uid: Number(uid), gid: Number(gid), name: `user ${name}`, other: true }
    }
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and there is no user nobody, postgres or daemon to run it as. ' +
      'Run this as an ordinary user, or set DATABASE_URL to a server.',
  )
}

/** The first directory on the way to `path`, or `path` itself, that the account may not enter or run. */
export async function obstacle(path: string, account: Account): Promise<string | undefined> {
  if (!account.other) return undefined
  const existing = await realpath(path).catch(() => undefined)
  if (existing === undefined) return obstacle(dirname(path), account)
  const blocked = dirname(existing) === existing ? undefined : await obstacle(dirname(existing), account)
  return blocked ?? ((await permits(existing, account)) ? undefined : existing)
}

async function permits(path: string, account: Account): Promise<boolean> {
  const stats = await stat(path)
  // Further groups do not count: a process started under another uid has none.
  const shift = stats.uid === account.uid ? 6 : stats.gid === account.gid ? 3 : 0
  const needed = stats.isDirectory() ? 0o1 : 0o5
  return ((stats.mode >> shift) & needed) === needed
}

/** How a program is started as the account. The caller's environment (PGPORT, PGOPTIONS, LANG…) stays outside. */
export function spawnOptions(account: Account) {
  return {
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
    ...(account.other ? { uid: account.uid, gid: account.gid } : {}),
  }
}

/** Runs a program to its end. Resolves to what it printed, or rejects with that in the message. */
export function run(program: string, args: string[], account: Account): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, spawnOptions(account), (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} failed: ${stderr.trim() || error.message}`, { cause: error }))
    })
  })
}
