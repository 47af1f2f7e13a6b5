import type { PgAsyncDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { type Options, readUrl } from './database-url.ts'
import { relations } from './schema/relations.ts'

/** Any Drizzle database on PostgreSQL, or a transaction of one, whatever its driver: postgres.js, PGlite and others. */
// biome-ignore lint/suspicious/noExplicitAny: which relations the caller has defined makes no difference here
export type Database = PgAsyncDatabase<PgQueryResultHKT, any>

/**
 * Opens a pool of connections (postgres.js) to the database at `url` and lays Drizzle over it, with `relations`, so
 * that `db.query` follows them. Nothing connects before the first statement. End it with `await db.$client.end()`.
 *
 * @param url a `postgresql://` URL, with the parameters of libpq; what only another library's pool reads has no effect
 * @param options options of postgres.js, times among them in seconds; behind a pooler in transaction mode pass
 *   `{ prepare: false }`, or a URL with `pgbouncer=true`
 * @throws TypeError if the URL is missing or not a PostgreSQL URL, or asks for what cannot be had; the message does not
 *   contain it
 */
export function createDatabase(
  url: string | undefined,
  options: Options = {},
): PostgresJsDatabase<typeof relations> & { $client: postgres.Sql } {
  if (!url) throw new TypeError('createDatabase: the URL is empty. Is DATABASE_URL set?')
  try {
    const asked = readUrl(url)
    const connection = { ...options.connection, ...asked.connection }
    const client = postgres({ onnotice: () => {}, ...asked, ...options, connection })
    return drizzle({ client, relations })
  } catch (error) {
    throw new TypeError(`createDatabase: the URL ${(error as Error).message}`)
  }
}
