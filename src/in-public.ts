import type { PgTable } from 'drizzle-orm/pg-core'

/** Drizzle writes a table of `public` without its schema, so that a session's search_path decides which is meant. */
export function inPublic<Table extends PgTable>(table: Table): Table {
  return new Proxy(table, {
    get: (target, key) => (key === Symbol.for('drizzle:Schema') ? 'public' : Reflect.get(target, key)),
  })
}
