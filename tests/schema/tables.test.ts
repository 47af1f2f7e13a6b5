import { is, SQL } from 'drizzle-orm'
import { getTableConfig, PgDialect, PgTable } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as schema from '../../src/schema/index.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const declared = Object.values(schema)
  .filter(value => is(value, PgTable))
  .map(table => getTableConfig(table))

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase('today')
})
afterAll(() => database.drop())

test('the tables in src/schema are those of the database', async () => {
  const live = await database.sql`
    select relname as name, relrowsecurity as rls from pg_class
     where relnamespace = 'public'::regnamespace and relkind not in ('i', 'S', 'c', 't')
     order by relname collate "C"`
  const tables = declared.map(({ name, enableRLS }) => ({ name, rls: enableRLS }))
  expect(tables.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([...live])
})

test('every foreign key in src/schema says what a deletion does', () => {
  const keys = declared.flatMap(table => table.foreignKeys)
  expect(keys).toHaveLength(3)
  expect(keys.filter(key => key.onDelete === undefined).map(key => key.getName())).toEqual([])
})

describe.each(declared)('$name', table => {
  test('has the columns that src/schema says, with types, lengths and nullability', async () => {
    const live = await columns(table.name)
    const expected = table.columns.map(column => ({
      name: column.name,
      type: column.getSQLType(),
      notNull: column.notNull || column.primary,
    }))
    expect(live.map(({ name, type, notNull }) => ({ name, type, notNull }))).toEqual(byName(expected))
  })

  test('has the defaults that src/schema says', async () => {
    for (const live of await columns(table.name)) {
      const column = table.columns.find(({ name }) => name === live.name)
      const inCode = column?.default
      if (is(inCode, SQL)) {
        expect([live.name, live.default]).toEqual([live.name, new PgDialect().sqlToQuery(inCode).sql])
      } else {
        const [row] = await database.sql.unsafe(`select ${live.default ?? 'null'} as value`)
        expect([live.name, row?.value]).toEqual([live.name, inCode ?? null])
      }
    }
  })

  test('has the constraints that src/schema says', async () => {
    const live = await database.sql`
      select conname as name, contype as type,
             array(select attname::text from unnest(conkey) with ordinality k (num, place)
                     join pg_attribute on attrelid = conrelid and attnum = k.num order by place) as columns
        from pg_constraint
       where conrelid = ${`public.${table.name}`}::text::regclass and contype <> 'n'`
    const keyed = table.columns.filter(column => column.primary).map(column => column.name)
    const expected = [
      ...keyed.map(column => ({ name: `${table.name}_pkey`, type: 'p', columns: [column] })),
      ...table.primaryKeys.map(key => ({ name: key.getName(), type: 'p', columns: names(key.columns) })),
      ...table.uniqueConstraints.map(key => ({
        name: key.getName(),
        type: 'u',
        columns: names(key.columns),
      })),
      ...table.foreignKeys.map(key => ({
        name: key.getName(),
        type: 'f',
        columns: names(key.reference().columns),
      })),
    ]
    expect(byName(live.filter(({ type }) => type !== 'c'))).toEqual(byName(expected))
    expect(byName(live.filter(({ type }) => type === 'c')).map(({ name }) => name)).toEqual(
      byName(table.checks).map(({ name }) => name),
    )
  })

  test('has the foreign keys that src/schema says, and they do on deletion what it says', async () => {
    const live = await database.sql`
      select conname as name,
             confrelid::regclass::text as target,
             case confdeltype when 'c' then 'cascade' when 'r' then 'restrict' when 'n' then 'set null'
                              when 'd' then 'set default' when 'a' then 'no action' end as "onDelete",
             convalidated as valid
        from pg_constraint
       where conrelid = ${`public.${table.name}`}::text::regclass and contype = 'f'`
    const expected = table.foreignKeys.map(key => {
      const target = getTableConfig(key.reference().foreignTable)
      return {
        name: key.getName(),
        target: target.schema ? `${target.schema}.${target.name}` : target.name,
        onDelete: key.onDelete,
        valid: true,
      }
    })
    expect(byName([...live])).toEqual(byName(expected))
  })

  test('has the indexes that src/schema says, beside those of its constraints', async () => {
    const live = await database.sql`
      select indexrelid::regclass::text as name, indisvalid as valid,
             array(select pg_get_indexdef(indexrelid, n, true) from generate_series(1, indnkeyatts) n) as columns
        from pg_index
       where indrelid = ${`public.${table.name}`}::text::regclass
         and not exists (select from pg_constraint where conindid = indexrelid)`
    const expected = table.indexes.map(({ config }) => ({
      name: config.name,
      valid: true,
      columns: config.columns.map(column => ('name' in column ? column.name : undefined)),
    }))
    expect(byName([...live])).toEqual(byName(expected))
  })

  test('has the policies that src/schema says', async () => {
    const live = await database.sql`
      select policyname as name from pg_policies
       where schemaname = 'public' and tablename = ${table.name}`
    expect(byName([...live])).toEqual(byName(table.policies.map(({ name }) => ({ name }))))
  })
})

async function columns(table: string) {
  const rows = await database.sql`
    select attname as name,
           replace(format_type(atttypid, atttypmod), 'character varying', 'varchar') as type,
           attnotnull as "notNull",
           pg_get_expr(adbin, adrelid) as default
      from pg_attribute
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
     where attrelid = ${`public.${table}`}::text::regclass and attnum > 0 and not attisdropped`
  return byName([...rows])
}

const names = (columns: readonly { name: string }[]) => columns.map(({ name }) => name)

function byName<T>(rows: T[]): T[] {
  const nameOf = (row: T) => String((row as { name?: unknown }).name)
  return [...rows].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}
