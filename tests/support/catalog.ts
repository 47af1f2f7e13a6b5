import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { readCatalog as read } from '../../src/catalog/read.ts'
import { project } from '../../src/platform/project.ts'

export interface CatalogOptions {
  /** Describe the schema `archive` too. */
  archive?: boolean
}

/** What PostgreSQL's own catalogs say of our schemas, and of the triggers on `auth.users`: one fact a line, sorted. */
export async function readCatalog(sql: postgres.Sql, options: CatalogOptions = {}): Promise<string[]> {
  // Drizzle changes how a client reads dates: not this one's.
  const client: postgres.Sql = {
    ...sql,
    options: { ...sql.options, parsers: {}, serializers: {} },
  } as postgres.Sql
  return Object.entries(await read(drizzle({ client }), project().scope))
    .filter(([object]) => options.archive || !/ archive\b/.test(object))
    .flatMap(([object, facts]) => Object.entries(facts).map(([fact, is]) => `${object}: ${fact}: ${is}`))
}
