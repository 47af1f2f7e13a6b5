import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Account, isRoot, obstacle, ownAccount, unprivilegedAccount } from './account.ts'

/** Where a server keeps its things, and who runs it. */
export interface Place {
  directory: string
  /** Exists only when complete: it is made under another name. Holds `data` and `passwords.json`. */
  cluster: string
  log: string
  account: Account
  /** Why it is not where it was asked for. */
  elsewhere?: string
}

/** Root's places for what an unprivileged user cannot reach in a project; the second where there is no /var/lib. */
export const SHARED = ['/var/lib/agents-db', '/var/tmp/agents-db']

/** Where the server asked for is, or undefined if it was never made. */
export async function findPlace(requested: string): Promise<Place | undefined> {
  for (const directory of candidates(requested)) {
    const shared = directory !== resolve(requested)
    if (shared && !(await isRootsOwn(dirname(directory)))) continue
    const account = isRoot() ? await ownerOf(join(directory, 'postgres')) : await checkOwn(directory)
    if (account === undefined) continue
    if (account.uid === 0) {
      throw new Error(
        `The local server's data in ${directory} belongs to root, as whom PostgreSQL refuses to run. ` +
          `Give it to another user (chown -R nobody ${directory}), or remove it to start anew with empty data.`,
      )
    }
    const blocked = await obstacle(directory, account)
    if (blocked !== undefined) {
      throw new Error(
        `The local server's data in ${directory} belongs to ${account.name}, who may not enter ${blocked}. ` +
          `Allow it (chmod o+x ${blocked}), or remove ${directory} to start anew with empty data.`,
      )
    }
    return toPlace(directory, account, shared ? `it was made there, not in ${requested}` : undefined)
  }
  return undefined
}

/** Makes a directory for the server: the one asked for or, for root, the first that will do. */
export async function makePlace(requested: string): Promise<Place> {
  const failures: string[] = []
  for (const directory of candidates(requested)) {
    try {
      if (directory !== resolve(requested)) await ensureShared(dirname(directory))
      const account = isRoot() ? await prepareForOther(directory) : await prepareOwn(directory)
      return await toPlace(directory, account, failures.join('; ') || undefined)
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(
    `There is no place for the local server's data: ${failures.join('; ')}. ` +
      'Make one of these directories writable, or set DATABASE_URL to a server.',
  )
}

/** Makes a directory that root keeps for itself and everybody may enter. */
export async function ensureShared(directory: string): Promise<void> {
  await mkdir(directory).catch(ignore('EEXIST'))
  if (!(await isRootsOwn(directory))) throw new Error(`${directory} does not belong to root alone`)
  await chmod(directory, 0o755)
}

function candidates(requested: string): string[] {
  const directory = resolve(requested)
  if (!isRoot()) return [directory]
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 12)
  return [directory, ...SHARED.map(base => join(base, hash))]
}

async function isRootsOwn(directory: string): Promise<boolean> {
  const stats = await lstat(directory).catch(ignore('ENOENT'))
  return stats?.isDirectory() === true && stats.uid === 0 && (stats.mode & 0o022) === 0
}

/** The account that owns a path, or undefined if the path is missing. */
async function ownerOf(path: string): Promise<Account | undefined> {
  const stats = await stat(path).catch(ignore('ENOENT'))
  if (stats === undefined) return undefined
  const unprivileged = await unprivilegedAccount().catch(() => undefined)
  if (stats.uid === unprivileged?.uid) return unprivileged
  return { uid: stats.uid, gid: stats.gid, name: `uid ${stats.uid}`, other: true }
}

/** An ordinary user only ever uses a directory of its own. */
async function checkOwn(directory: string): Promise<Account | undefined> {
  const account = ownAccount()
  const stats = await stat(directory).catch(ignore('ENOENT'))
  if (stats === undefined) return undefined
  if (stats.uid !== account.uid) {
    throw new Error(
      `The local server's directory ${directory} belongs to uid ${stats.uid}, and this is uid ${account.uid}. ` +
        `Run this as that user or as root, or remove it (sudo rm -rf ${directory}) to start anew with empty data.`,
    )
  }
  return (await stat(join(directory, 'postgres')).catch(ignore('ENOENT'))) && account
}

async function prepareOwn(directory: string): Promise<Account> {
  // In two steps, since the mode would go to the parents too.
  await mkdir(dirname(directory), { recursive: true })
  await mkdir(directory, { mode: 0o700 }).catch(ignore('EEXIST'))
  await chmod(directory, 0o700)
  return ownAccount()
}

async function prepareForOther(directory: string): Promise<Account> {
  const owner = await ownerOf(directory)
  const account = owner === undefined || owner.uid === 0 ? await unprivilegedAccount() : owner
  await mkdir(dirname(directory), { recursive: true })
  const blocked = await obstacle(dirname(directory), account)
  if (blocked !== undefined) throw new Error(`${account.name} may not enter ${blocked}`)
  await mkdir(directory, { mode: 0o700 }).catch(ignore('EEXIST'))
  if ((await stat(directory)).uid !== account.uid) {
    // A directory with something in it is somebody's: it is not taken away from root.
    if ((await readdir(directory)).length > 0)
      throw new Error(`${directory} is not empty and belongs to root`)
    await chown(directory, account.uid, account.gid)
    if ((await stat(directory)).uid !== account.uid) throw new Error(`${directory} cannot be given away`)
  }
  await chmod(directory, 0o700)
  return account
}

async function toPlace(directory: string, account: Account, elsewhere?: string): Promise<Place> {
  const real = await realpath(directory)
  const paths = { directory: real, cluster: join(real, 'postgres'), log: join(real, 'postgres.log') }
  return { ...paths, account, ...(elsewhere === undefined ? {} : { elsewhere }) }
}

export function ignore(...codes: string[]) {
  return (error: unknown): undefined => {
    if (error instanceof Error && 'code' in error && codes.includes(String(error.code))) return undefined
    throw error
  }
}
