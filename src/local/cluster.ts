import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { z } from 'zod'
import { run } from './account.ts'
import type { Binaries } from './binaries.ts'
import { ignore, type Place } from './place.ts'
import { halt, launch } from './postmaster.ts'
import { installSupabaseStub } from './supabase-stub.ts'
import { leftovers, temporaryName } from './temporary.ts'

const Passwords = z.object({ postgres: z.string(), supabase_admin: z.string() })
export type Passwords = z.infer<typeof Passwords>

/** Makes the data directory under another name and renames it into place, so that one that exists is complete. */
export async function createCluster(
  place: Place,
  binaries: Binaries,
  settings: Record<string, string>,
): Promise<void> {
  await clearLeftovers(place)
  const temporary = temporaryName(place.cluster)
  const data = join(temporary, 'data')
  try {
    await mkdir(temporary, { mode: 0o700 })
    await giveAway(temporary, place)
    const passwords = { postgres: newPassword(), supabase_admin: newPassword() }
    const sync = settings.fsync === 'off' ? ['--no-sync'] : []
    await initialise(binaries.initdb, temporary, passwords.supabase_admin, place, sync)
    const log = join(temporary, 'first.log')
    const { account } = place
    const result = await launch({ program: binaries.postgres, data, log, account, port: 0, settings })
    if ('failure' in result) throw new Error(`PostgreSQL did not start in ${data}: ${result.failure}`)
    await fill(result.port, passwords)
    await halt(data)
    await rm(log)
    await writePrivate(join(temporary, 'passwords.json'), JSON.stringify(passwords), place)
    // Somebody else may have been faster: then theirs stays, and ours goes.
    await rename(temporary, place.cluster).catch(ignore('EEXIST', 'ENOTEMPTY'))
  } finally {
    await discard(temporary)
  }
}

/** Takes the data out of its place, whole, before it is deleted. */
export async function removeCluster(place: Place): Promise<void> {
  const temporary = temporaryName(place.cluster)
  await rename(place.cluster, temporary).catch(ignore('ENOENT'))
  await discard(temporary)
}

/** Fails, with what to do about it, where these programs cannot serve the data. */
export async function checkVersion(place: Place, binaries: Binaries): Promise<void> {
  const version = (await readFile(join(place.cluster, 'data', 'PG_VERSION'), 'utf8')).trim()
  if (version !== binaries.major) {
    throw new Error(
      `The data in ${place.cluster} was made by PostgreSQL ${version}, and this is PostgreSQL ${binaries.major}. ` +
        'Start anew with empty data (agents-db db reset), or install the version of this package that made it.',
    )
  }
}

export async function readPasswords(place: Place): Promise<Passwords> {
  const file = join(place.cluster, 'passwords.json')
  try {
    return Passwords.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new Error(`${file} is missing or damaged. Start anew with empty data: agents-db db reset.`, {
      cause,
    })
  }
}

async function initialise(
  initdb: string,
  cluster: string,
  password: string,
  place: Place,
  further: string[],
): Promise<void> {
  const file = join(cluster, 'password')
  await writePrivate(file, password, place)
  await run(
    initdb,
    [
      ...['--pgdata', join(cluster, 'data'), '--username', 'supabase_admin', '--pwfile', file],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
      // The same order and letter cases on every machine, whatever locales it has.
      ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'timezone=UTC'],
      ...further,
    ],
    place.account,
  )
  await rm(file)
}

/** Into template1, so that every new database has it. */
async function fill(port: number, passwords: Passwords): Promise<void> {
  const admin = postgres({
    host: '127.0.0.1',
    port,
    username: 'supabase_admin',
    password: passwords.supabase_admin,
    database: 'template1',
    max: 1,
    onnotice: () => {},
  })
  try {
    await installSupabaseStub(admin, { deployer: 'postgres', grants: 'old', password: passwords.postgres })
    await admin`create database agents owner postgres`
  } finally {
    await admin.end()
  }
}

async function clearLeftovers(place: Place): Promise<void> {
  for (const path of await leftovers(place.cluster)) await discard(path)
}

async function discard(cluster: string): Promise<void> {
  await halt(join(cluster, 'data'), 'SIGQUIT')
  await rm(cluster, { recursive: true, force: true, maxRetries: 3 })
}

async function writePrivate(file: string, text: string, place: Place): Promise<void> {
  await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  await giveAway(file, place)
}

async function giveAway(path: string, { account }: Place): Promise<void> {
  if (account.other) await chown(path, account.uid, account.gid)
}

const newPassword = () => randomBytes(24).toString('base64url')
