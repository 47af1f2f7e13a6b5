import type { PgAsyncDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

/** Any Drizzle database on PostgreSQL, whatever driver it uses: postgres.js, PGlite and others. */
// biome-ignore lint/suspicious/noExplicitAny: which relations the caller has defined makes no difference here
export type Database = PgAsyncDatabase<PgQueryResultHKT, any>

/**
 * Opens a pool of connections (postgres.js) to the database at `url` and lays Drizzle over it.
 * Nothing connects before the first statement. End it with `await db.$client.end()`.
 *
 * @throws TypeError where the URL is empty
 * @param url a `postgresql://` URL
 * @param options options of postgres.js; behind a pooler in transaction mode pass `{ prepare: false }`
 */
export function createDatabase(
  url: string,
  options: postgres.Options<Record<string, never>> = {},
): PostgresJsDatabase & { $client: postgres.Sql } {
  if (!url) throw new TypeError('createDatabase: the URL is empty. Is DATABASE_URL set?')
  return drizzle({ client: postgres(url, { onnotice: () => {}, ...options }) })
}
