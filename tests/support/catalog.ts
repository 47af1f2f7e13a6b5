import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { readCatalog as read } from '../../src/catalog/read.ts'
import { project } from '../../src/platform/project.ts'
import { type Rows, readRows } from './rows.ts'

/** What PostgreSQL's own catalogs say of our schemas, and of the triggers on `auth.users`: one fact a line, sorted. */
export async function readCatalog(sql: postgres.Sql): Promise<string[]> {
  // Drizzle changes how a client reads dates: not this one's.
  const client: postgres.Sql = {
    ...sql,
    options: { ...sql.options, parsers: {}, serializers: {} },
  } as postgres.Sql
  // Roles belong to the server.
  const objects = Object.entries(await read(drizzle({ client }), project().scope)).filter(
    ([object]) => !object.startsWith('role '),
  )
  return objects.flatMap(([object, facts]) =>
    Object.entries(facts).map(([fact, is]) => `${object}: ${fact}: ${is}`),
  )
}

export interface State {
  catalog: string[]
  rows: Rows
}

/** All that a test may find changed: the catalog, and every row of these schemas. The ledger is in `drizzle`. */
export async function stateOf(
  { admin }: { admin: postgres.Sql },
  schemas = ['public', 'auth', 'archive', 'drizzle'],
): Promise<State> {
  return { catalog: await readCatalog(admin), rows: await readRows(admin, schemas) }
}
