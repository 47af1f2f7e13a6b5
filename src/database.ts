import type { PgAsyncDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { relations } from './schema/relations.ts'

/** Any Drizzle database on PostgreSQL, or a transaction of one, whatever its driver: postgres.js, PGlite and others. */
// biome-ignore lint/suspicious/noExplicitAny: which relations the caller has defined makes no difference here
export type Database = PgAsyncDatabase<PgQueryResultHKT, any>

/**
 * Opens a pool of connections (postgres.js) to the database at `url` and lays Drizzle over it, with `relations`, so
 * that `db.query` follows them. Nothing connects before the first statement. End it with `await db.$client.end()`.
 *
 * @param url a `postgresql://` URL
 * @param options options of postgres.js, times among them in seconds; behind a pooler in transaction mode pass
 *   `{ prepare: false }`
 * @throws TypeError if the URL is missing or not a PostgreSQL URL; the message does not contain it
 */
export function createDatabase(
  url: string | undefined,
  options: postgres.Options<Record<string, never>> = {},
): PostgresJsDatabase<typeof relations> & { $client: postgres.Sql } {
  if (!url) throw new TypeError('createDatabase: the URL is empty. Is DATABASE_URL set?')
  return drizzle({ client: connect(url, { onnotice: () => {}, ...options }), relations })
}

function connect(url: string, options: postgres.Options<Record<string, never>>): postgres.Sql {
  try {
    if (/^postgres(ql)?:/.test(url)) return postgres(url, options)
  } catch {
    // What was thrown holds the URL, and with it the password.
  }
  throw new TypeError('createDatabase: not a URL of the form postgresql://user:password@host:port/database')
}
