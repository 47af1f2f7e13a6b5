import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import type { Catalog, Facts } from '../src/catalog/read.ts'

/** Tables of `src/schema` that `src/schema.ts` does not export, so that drizzle-kit passes over them, or `src/zod.ts` has no validators for. */
export async function missingExports(root: string): Promise<string[]> {
  const load = (file: string): Promise<Record<string, unknown>> => import(join(root, 'src', file))
  const [schema, zod] = [await load('schema.ts'), await load('zod.ts')]
  const files = readdirSync(join(root, 'src/schema')).filter(file => file.endsWith('.ts'))
  const modules = await Promise.all(
    files.map(async file => ({ file, exports: await load(`schema/${file}`) })),
  )
  return modules.flatMap(({ file, exports }) =>
    Object.entries(exports).flatMap(([name, table]) => {
      if (!is(table, PgTable) || getTableConfig(table).schema !== undefined) return []
      if (!(name in schema))
        return [`${name}: export it from src/schema.ts: export * from './schema/${file}'`]
      const row = name[0]?.toUpperCase() + name.slice(1).replace(/ies$/, 'y').replace(/s$/, '')
      return ['insert', 'select', 'update']
        .filter(verb => !(`${verb}${row}` in zod))
        .map(verb => `${name}: export a validator ${verb}${row} from src/zod.ts`)
    }),
  )
}

/** What tables in `public` lack, of what every one must have. */
export function missingInCatalog(catalog: Catalog): string[] {
  return Object.entries(catalog).flatMap(([object, facts]) => {
    if (!object.startsWith('table public.')) return []
    return missingFrom(facts, object.slice('table public.'.length)).map(
      what => `${object.slice('table '.length)}: ${what}`,
    )
  })
}

function missingFrom(facts: Facts, table: string): string[] {
  const open = ['anon', 'authenticated', 'public'].filter(role => `grants to ${role}` in facts)
  const policies = Object.keys(facts).filter(fact => fact.startsWith('policy '))
  const grants = 'add it to both statements of src/schema/sql/grants.sql'
  return [
    ...(facts['row level security'] === 'enabled' && policies.length > 0
      ? []
      : [`no row level security with policies: declare it with pgTable.withRLS and ...denyAll('${table}')`]),
    ...open.map(role => `${role} has ${facts[`grants to ${role}`]}: ${grants}`),
    ...(facts['grants to service_role'] === 'DELETE, INSERT, SELECT, UPDATE'
      ? []
      : [`service_role may not select, insert, update and delete, and no more: ${grants}`]),
    ...('column updated_at' in facts && !('trigger keep_updated_at' in facts)
      ? ['updated_at never moves: add its trigger to src/schema/sql/keep_updated_at.sql']
      : []),
    ...foreignKeysWithoutIndex(facts).map(
      key => `${key} has no index: declare one that begins with its columns`,
    ),
  ]
}

/** A deletion of what they refer to would read the whole table. */
function foreignKeysWithoutIndex(facts: Facts): string[] {
  return Object.entries(facts).flatMap(([fact, is]) => {
    const columns = /^FOREIGN KEY \(([^)]*)\)/.exec(is)?.[1]
    const isIndex = (is: string) =>
      new RegExp(`^(CREATE.* INDEX .*|PRIMARY KEY |UNIQUE )\\(${columns}[,)]`).test(is)
    return columns === undefined || Object.values(facts).some(isIndex) ? [] : [fact]
  })
}
