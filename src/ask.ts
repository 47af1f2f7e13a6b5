import type { Database } from './database.ts'

/** A query of drizzle's, with placeholders for `values`. */
interface Query<Row> {
  execute: (values: Record<string, unknown>) => Promise<Row[]>
  prepare: () => Pick<Query<Row>, 'execute'>
}

/** What each database was asked, by what it is about. */
const asked = new WeakMap<Database, Map<string, unknown>>()

/**
 * Runs a query that is built once for each database and, over postgres.js, parsed and planned once on each connection, unless
 * the pool says `prepare: false`. Other drivers do not know of poolers that lose what was prepared, so there it is not.
 *
 * @param name of the query, with what is optional in it
 */
export async function ask<Row>(
  db: Database,
  name: string,
  values: Record<string, unknown>,
  build: () => Query<Row>,
): Promise<Row[]> {
  const queries = asked.get(db) ?? new Map<string, unknown>()
  asked.set(db, queries)
  const query = (queries.get(name) ?? (isPostgresJs(db) ? build().prepare() : build())) as Query<Row>
  queries.set(name, query)
  return await query.execute(values)
}

function isPostgresJs(db: Database): boolean {
  const { $client } = db as { $client?: { options?: object } }
  return 'prepare' in ($client?.options ?? {})
}
