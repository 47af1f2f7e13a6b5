import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Binaries, findBinaries } from './binaries.ts'
import { checkVersion, createCluster, readPasswords, removeCluster } from './cluster.ts'
import { findPlace, ignore, makePlace, type Place } from './place.ts'
import { findPort, halt, launch } from './postmaster.ts'

const DEFAULT_PORT = 54329
const PATIENCE = 30_000

export interface LocalServer {
  /** Database `agents` as role `postgres`, which, as on Supabase, is no superuser. */
  url: string
  /** The same database as the superuser `supabase_admin`. */
  adminUrl: string
  port: number
  directory: string
}

export interface StartOptions {
  /** Where data, passwords and log are kept. Made if missing. */
  directory: string
  /** Taken if it is free; 0 for any. */
  port?: number
  /** PostgreSQL settings for this start. */
  settings?: Record<string, string>
  /** Is told what a user should know: another directory or port than asked for. */
  onNote?: (message: string) => void
}

/** A running server: the one that runs already, or a new one, which keeps running when this process ends. */
export async function startServer(options: StartOptions): Promise<LocalServer & { started: boolean }> {
  const { directory, port = DEFAULT_PORT, settings = {}, onNote = () => {} } = options
  const place = (await findPlace(directory)) ?? (await makePlace(directory))
  if (place.elsewhere !== undefined) {
    onNote(`The local server's data is in ${place.directory}: ${place.elsewhere}`)
  }
  let binaries: Binaries | undefined
  for (const end = Date.now() + PATIENCE; ; await delay(100)) {
    const found = await describeRunning(place)
    if (found !== undefined) return { ...found, started: false }
    binaries ??= await findBinaries(place.account, onNote)
    if (!(await stat(place.cluster).catch(ignore('ENOENT')))) await createCluster(place, binaries, settings)
    await checkVersion(place, binaries)
    const { log, account } = place
    const data = join(place.cluster, 'data')
    const result = await launch({ program: binaries.postgres, data, log, account, port, settings })
    if ('port' in result) {
      if (port !== 0 && port !== result.port) onNote(`Port ${port} is taken: the server uses ${result.port}`)
      return { ...(await describe(place, result.port)), started: true }
    }
    // These pass: another start was faster, or the last processes of a crashed server are still ending.
    if (!/lock file "postmaster.pid"|shared memory block/.test(result.failure) || Date.now() > end) {
      throw new Error(`PostgreSQL did not start; ${result.failure}\nIts log is ${log}`)
    }
  }
}

/** The server of that directory if it is running. */
export async function findServer(directory: string): Promise<LocalServer | undefined> {
  const place = await findPlace(directory)
  return place && describeRunning(place)
}

/** Stops the server of that directory. False if it was not running. */
export async function stopServer(directory: string): Promise<boolean> {
  const place = await findPlace(directory)
  return place !== undefined && halt(join(place.cluster, 'data'))
}

/** Throws the data away and starts a new, empty server. */
export async function resetServer(options: StartOptions): Promise<LocalServer & { started: boolean }> {
  const place = await findPlace(options.directory)
  if (place !== undefined) {
    await halt(join(place.cluster, 'data'))
    await removeCluster(place)
  }
  return startServer(options)
}

async function describeRunning(place: Place): Promise<LocalServer | undefined> {
  const port = await findPort(join(place.cluster, 'data'))
  return port === undefined ? undefined : describe(place, port)
}

async function describe(place: Place, port: number): Promise<LocalServer> {
  const passwords = await readPasswords(place)
  const url = (role: keyof typeof passwords) =>
    `postgresql://${role}:${passwords[role]}@127.0.0.1:${port}/agents`
  return { url: url('postgres'), adminUrl: url('supabase_admin'), port, directory: place.directory }
}
