import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { createDatabase } from '../database.ts'
import { readUrl } from '../database-url.ts'
import type { StartOptions } from '../local/server.ts'
import type { LedgerName } from '../migrator/project.ts'
import { type Cli, UsageError } from './cli.ts'
import type { Io } from './io.ts'
import { parseLedger, parsePort } from './options.ts'

type Settings = Pick<Io, 'env' | 'cwd'>

/**
 * A variable of the environment or, if it is not set there, of `.env`.
 *
 * @throws UsageError if `.env` has its name but not as a variable: the default would be another database
 */
function setting({ env, cwd }: Settings, name: string): string | undefined {
  if (env[name] !== undefined) return env[name]
  const file = join(cwd, '.env')
  if (!existsSync(file)) return undefined
  const bytes = readFileSync(file)
  // PowerShell writes UTF-16. Decoding drops the byte order mark, which would be part of the first name.
  const text = new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-8').decode(bytes)
  const value = parseEnv(text)[name]
  if (
    value === undefined &&
    new RegExp(`^[^\\w#]*(?:export\\s+)?${name}\\b`, 'im').test(text.replaceAll('\0', ''))
  ) {
    throw new UsageError(`.env names ${name}, but cannot be read. Write it on one line, as ${name}=value.`)
  }
  return value
}

/**
 * The URL in `DATABASE_URL`, if it is set.
 *
 * @throws UsageError if it is not a URL, or asks for what cannot be had; the message does not repeat it
 */
export function configuredUrl(io: Settings): string | undefined {
  const url = setting(io, 'DATABASE_URL')?.trim()
  if (url === '') throw new UsageError('DATABASE_URL is empty. Unset it to use the local server.')
  try {
    if (url !== undefined) readUrl(url)
    return url
  } catch (error) {
    throw new UsageError(`DATABASE_URL ${(error as Error).message}`)
  }
}

export function localDirectory({ cwd }: Io): string {
  return join(cwd, '.data')
}

/** How to start the local server: on the given port, or that of `AGENTS_DB_PORT`, or as it chooses. */
export function localServer({ io, note, port = parsed(io, 'AGENTS_DB_PORT', parsePort) }: Cli): StartOptions {
  return { directory: localDirectory(io), onNote: note, ...(port !== undefined && { port }) }
}

function parsed<T>(io: Settings, name: string, parse: (value: string) => T): T | undefined {
  const value = setting(io, name)
  try {
    return value === undefined ? undefined : parse(value)
  } catch (error) {
    throw new UsageError(`${name} is ${JSON.stringify(value)}. ${(error as Error).message}`)
  }
}

/** The table that records the migrations, as `AGENTS_DB_LEDGER` has it. */
export function configuredLedger(io: Settings): LedgerName | undefined {
  return parsed(io, 'AGENTS_DB_LEDGER', parseLedger)
}

/** The same as `drizzle.config.ts` has it. It is beside the sources, and not in the installed package. */
async function drizzleLedger(): Promise<LedgerName | undefined> {
  const file = new URL('../../drizzle.config.ts', import.meta.url)
  if (!import.meta.url.endsWith('.ts') || !existsSync(file)) return undefined
  const { migrations } = (await import(file.href)).default
  return migrations && { schema: 'drizzle', table: '__drizzle_migrations', ...migrations }
}

async function startLocalServer(cli: Cli): Promise<string> {
  const { startServer } = await import('../local/server.ts')
  const { url, port, started } = await startServer(localServer(cli))
  if (started) cli.note(`started the local PostgreSQL on port ${port}`)
  return url
}

/**
 * Runs `work` on the configured database, or on the local one, and closes the connections whatever happens. Messages of
 * the migrations are passed on.
 */
export async function withDatabase<T>(
  cli: Cli,
  work: (db: ReturnType<typeof createDatabase>, where: { ledger?: LedgerName }, url: string) => Promise<T>,
): Promise<T> {
  const configured = configuredUrl(cli.io)
  const url = configured ?? (await startLocalServer(cli))
  const ledger = cli.ledger ?? configuredLedger(cli.io) ?? (await drizzleLedger())
  const { host: hosts, connect_timeout = 10 } = readUrl(url)
  const db = createDatabase(url, {
    // One for the migration, one for its online part, one to ask what blocks that; opened when needed.
    max: 3,
    // Works behind a pooler in transaction mode.
    prepare: false,
    // Otherwise the driver asks for PostgreSQL's types when it connects, and leaves an error there unhandled.
    fetch_types: false,
    connect_timeout,
    connection: { application_name: 'agents-db' },
    onnotice: notice => {
      if (notice.severity === 'INFO') cli.note(String(notice.message))
    },
  })
  // After an error there is nothing to wait for.
  let timeout = 0
  try {
    if (Array.isArray(hosts) && hosts.length > 1) {
      // postgres.js would try hosts that are down for ever.
      const late = delay(connect_timeout * 1000, undefined, { ref: false }).then(() => {
        throw new Error(`cannot reach PostgreSQL at any of ${hosts.join(', ')} within ${connect_timeout} s`)
      })
      await Promise.race([db.$client`select 1`, late])
    }
    const result = await work(db, ledger ? { ledger } : {}, url)
    timeout = 5
    return result
  } catch (error) {
    // The local server may have the migrations of another checkout.
    const isOther = error instanceof Error && /^(MISSING|UNKNOWN|OUT_OF_ORDER)$/.test(Object(error).code)
    if (isOther && configured === undefined)
      error.message += `\nThis is the local server: \`${cli.self} db reset\` empties it.`
    throw error
  } finally {
    await db.$client.end({ timeout })
  }
}
