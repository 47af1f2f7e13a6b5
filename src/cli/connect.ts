import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'
import { createDatabase } from '../database.ts'
import type { StartOptions } from '../local/server.ts'
import { UsageError } from './command.ts'
import type { Output } from './output.ts'

/** Where the local server keeps its data. */
export const localDirectory = '.data'

type Connected = ReturnType<typeof createDatabase>

/** The database that the environment or `.env` names, if either does. */
export function configuredUrl(): string | undefined {
  if (process.env.DATABASE_URL === undefined && existsSync('.env')) loadEnvFile('.env')
  const url = process.env.DATABASE_URL
  if (url === undefined) return undefined
  if (url === '')
    throw new UsageError('DATABASE_URL is empty: give it a URL, or unset it to use the local server')
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url) || hasStrayPassword(new URL(url))) {
    throw new UsageError(
      'DATABASE_URL is not a URL of the form postgresql://user:password@host:port/database, with special characters of the password percent-encoded',
    )
  }
  return url
}

/** How to start the local server: on the port given, or else that of AGENTS_DB_PORT, or else the one it had before. */
export function localServer(output: Output, given?: string): StartOptions {
  if (existsSync('.env')) loadEnvFile('.env')
  const options = { directory: localDirectory, onNote: output.note }
  const [name, value] =
    given === undefined ? ['AGENTS_DB_PORT', process.env.AGENTS_DB_PORT] : ['--port', given]
  if (value === undefined) return options
  const port = Number(value)
  if (!/^\d+$/.test(value) || port < 1 || port > 65535) {
    throw new UsageError(`${name} takes a port from 1 to 65535, not "${value}"`)
  }
  return { ...options, port }
}

/** A password with a slash, or with a hash sign: the URL is read as if it ended before, and would show it. */
function hasStrayPassword({ pathname, search, hash }: URL): boolean {
  return `${pathname}${search}${hash}`.includes('@')
}

/** The configured database, or the local one, which is started where it does not run. */
async function databaseUrl(output: Output): Promise<string> {
  const configured = configuredUrl()
  if (configured !== undefined) return configured
  const { startServer } = await import('../local/server.ts')
  const server = await startServer(localServer(output))
  if (server.started) output.note(`started the local PostgreSQL on port ${server.port}`)
  return server.url
}

/** Runs `work` on the database and closes the connection, whatever happens. What migrations say is passed on. */
export async function withDatabase<T>(
  output: Output,
  work: (db: Connected, url: string) => Promise<T>,
): Promise<T> {
  const url = await databaseUrl(output)
  const db = createDatabase(url, {
    // One for the step, one for its online part, one for asking who keeps that waiting; opened when needed.
    max: 3,
    // Holds behind a pooler in transaction mode.
    prepare: false,
    // The driver would ask for PostgreSQL's types on connecting, and leave a refusal of that question unhandled.
    fetch_types: false,
    connect_timeout: 10,
    connection: { application_name: 'agents-db' },
    onnotice: notice => {
      if (notice.severity === 'INFO') output.note(String(notice.message))
    },
  })
  try {
    return await work(db, url)
  } finally {
    await db.$client.end({ timeout: 5 })
  }
}

/** A URL as it may be shown: without the password. */
export function withoutPassword(url: string): string {
  const shown = new URL(url)
  shown.password = ''
  shown.search = ''
  return shown.href
}
