import { readFileSync } from 'node:fs'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, query, transaction } from '../query.ts'

/** The facts about one object, by what they are about: `policy anon_select_llms`, `column id`, `owner`. */
export type Facts = Record<string, string>

/** Objects by kind and name: `table public.orders`, `function public.total(uuid)`. */
export type Catalog = Record<string, Facts>

/** What of a database its migrations are about. */
export interface Scope {
  /** The schemas that the migrations make objects in. */
  schemas: string[]
  /** Tables of others, with their schema, on which some of the triggers are ours. */
  foreignTables: string[]
  /** Roles that own nothing: whoever owns most of the rest is `the deployer`. */
  clientRoles: string[]
}

/**
 * Reads PostgreSQL's own catalogs: everything in the schemas, or just the objects of these names; of the triggers on
 * foreign tables those of these names, or that call these functions. In the same words whatever the version (15 to 18),
 * the deploying role and the order of the columns.
 *
 * Reads only, and needs no right on any table.
 */
export async function readCatalog(db: Database, scope: Scope, only?: string[]): Promise<Catalog> {
  return await transaction(
    db,
    async tx => {
      const was = await currentSettings(tx, Object.keys(whileReading))
      await set(tx, whileReading)
      const rows = await query<{ object: string; fact: string; value: string }>(tx, factsOf(scope, only))
      // The transaction may be the caller's.
      await set(tx, was)
      // A foreign table is there, whether or not it has triggers of ours.
      const objects = new Set([
        ...scope.foreignTables.map(name => `table ${name}`),
        ...rows.map(row => row.object),
      ])
      const catalog: Catalog = Object.fromEntries([...objects].sort().map(object => [object, {}]))
      for (const { object, fact, value } of rows.sort(byName)) {
        const text = value.replaceAll('\r\n', '\n')
        Object.assign(catalog[object] ?? {}, { [fact]: fact === 'definition' ? unqualified(text) : text })
      }
      return catalog
    },
    { accessMode: 'read only' },
  )
}

const whileReading = {
  // Nothing is visible by its bare name, so every name comes out qualified.
  search_path: '',
  quote_all_identifiers: 'off',
  // What is printed of an expression, PostgreSQL looks up in a table that somebody may have locked.
  lock_timeout: '2s',
}

async function currentSettings(tx: Database, names: string[]): Promise<Record<string, string>> {
  const rows = await query<{ name: string; value: string }>(
    tx,
    sql`select name, current_setting(name) as value from jsonb_array_elements_text(${JSON.stringify(names)}::text::jsonb) name`,
  )
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
}

async function set(tx: Database, settings: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    await execute(tx, sql`select set_config(${name}, ${value}, true)`)
  }
}

function byName(a: { object: string; fact: string }, b: { object: string; fact: string }): number {
  const [x, y] = a.object === b.object ? [a.fact, b.fact] : [a.object, b.object]
  return x < y ? -1 : x > y ? 1 : 0
}

/** Up to PostgreSQL 15 a view names its table before every column, later only where there are several. */
function unqualified(definition: string): string {
  const tables = [...definition.matchAll(/\b(?:from|join)\s+(?:\w+\.)?(\w+)/gi)].map(([, table]) => table)
  return definition.replace(new RegExp(`(?<![\\w.])(?:${tables.join('|')})\\.`, 'g'), '')
}

function factsOf({ schemas, foreignTables, clientRoles }: Scope, only: string[] | undefined): SQL {
  // As text: each driver encodes JSON and arrays in its own way.
  const json = (names: string[] | undefined) => sql`${names ? JSON.stringify(names) : null}::text::jsonb`
  const parameters: Record<string, SQL> = {
    ':schemas': json(schemas),
    ':foreign_tables': json(foreignTables),
    ':client_roles': json(clientRoles),
    ':only': json(only),
  }
  const text = readFileSync(new URL('./facts.sql', import.meta.url), 'utf8')
  const chunks = text.split(/(?<!:)(:[a-z_]+)/)
  return sql.join(chunks.map(chunk => parameters[chunk] ?? sql.raw(chunk)))
}
