import type { Database } from '../database.ts'
import { applySettings, query, transaction } from '../query.ts'
import { asRestored } from './restored.ts'
import { readQuery } from './sql-file.ts'

/** The facts about one object, by what they are about: `policy anon_select_llms`, `column id`, `owner`. */
export type Facts = Record<string, string>

/** Objects by kind and name: `table public.orders`, `function public.total(uuid)`. */
export type Catalog = Record<string, Facts>

/** What of a database its migrations are about. */
export interface Scope {
  /** The schemas that the migrations make objects in. */
  schemas: string[]
  /** Tables of others, with their schema, on which some of the triggers are ours. */
  externalTables: string[]
  /** Roles that own nothing: the role that owns most of the rest is `the deployer`. */
  clientRoles: string[]
}

/**
 * Reads every object in the schemas, or only those named in `only`; on external tables, only triggers that are named there
 * or call our functions. The words do not depend on the version (15 to 18), the deployer or the order of columns.
 *
 * Reads only, and needs no right on any table.
 */
export async function readCatalog(db: Database, scope: Scope, only?: string[]): Promise<Catalog> {
  return await transaction(db, tx => readFacts(tx, scope, only), { accessMode: 'read only' })
}

async function readFacts(tx: Database, scope: Scope, only: string[] | undefined): Promise<Catalog> {
  // To print an expression, PostgreSQL looks up a table that somebody may have locked.
  const before = await applySettings(tx, { lock_timeout: '2s' })
  const { schemas, externalTables: external_tables, clientRoles: client_roles } = scope
  const statement = readQuery('facts.sql', { schemas, external_tables, client_roles, only })
  const rows = await query<{ object: string; fact: string; value: string }>(tx, statement)
  await applySettings(tx, before)
  // These are there, whether or not there is something to say of them.
  const given = [
    ...scope.externalTables.map(name => `table ${name}`),
    ...(scope.schemas.includes('public') ? ['schema public'] : []),
  ]
  const names = [...given, ...rows.map(({ object }) => object)]
  const catalog: Catalog = Object.fromEntries([...new Set(names)].sort().map(object => [object, {}]))
  for (const { object, fact, value } of rows) {
    Object.assign(catalog[object] ?? {}, { [fact]: normalised(fact, value) })
  }
  return catalog
}

function normalised(fact: string, value: string): string {
  const isPrinted = fact !== 'comment' && (fact !== 'body' || /^(?:BEGIN ATOMIC|RETURN )/.test(value))
  if (!isPrinted) return value.replaceAll('\r\n', '\n')
  const text = asRestored(value)
  return fact === 'definition' ? unqualified(text) : text
}

/** Up to PostgreSQL 15 a view names its table before every column, later only where there are several. */
function unqualified(definition: string): string {
  const tables = [...definition.matchAll(/\b(?:from|join)\s+(?:\w+\.)?(\w+)/gi)].map(([, table]) => table)
  return definition.replace(new RegExp(`(?<![\\w.])(?:${tables.join('|')})\\.`, 'g'), '')
}
