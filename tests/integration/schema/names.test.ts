import { expect, test } from 'vitest'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'

const oldWord = 'user_?agent'

/** Whatever stands under the old word in a system catalog: every column of type name, and every text of ours. */
async function oldNames({ sql }: TestDatabase): Promise<string[]> {
  const columns = await sql<
    { catalog: string; name: string; schema: string | null; relation: string | null }[]
  >`
    select c.oid::regclass::text as catalog, a.attname as name,
           (select attname from pg_attribute where attrelid = c.oid and attname ~ 'namespace$' limit 1) as schema,
           (select attname from pg_attribute
             where attrelid = c.oid and attname in ('attrelid', 'tgrelid', 'polrelid', 'ev_class') limit 1) as relation
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and a.atttypid = 'name'::regtype
       and c.relname not in ('pg_database', 'pg_authid')
     order by 1, 2`
  const found: string[] = []
  for (const { catalog, name, schema, relation } of columns) {
    const home = schema
      ? sql`${sql(schema)}::regnamespace::text`
      : relation
        ? sql`(select relnamespace::regnamespace::text from pg_class where oid = ${sql(relation)})`
        : sql`null::text`
    const rows = await sql`
      select ${sql(name)}::text as word from ${sql(`pg_catalog.${catalog}`)}
       where ${sql(name)} ~* ${oldWord} and ${home} is distinct from 'archive'`
    found.push(...rows.map(row => `${catalog}.${name}: ${row.word}`))
  }
  const texts = await sql`
    select 'body of ' || oid::regprocedure as word from pg_proc
     where prosrc ~* ${oldWord} and pronamespace::regnamespace::text not in ('pg_catalog', 'archive')
    union all
    select 'comment ' || description from pg_description where description ~* ${oldWord}
    union all
    select 'definition of ' || conname from pg_constraint
     where pg_get_constraintdef(oid) ~* ${oldWord} and connamespace::regnamespace::text <> 'archive'
    union all
    select 'definition of ' || indexrelid::regclass from pg_index
     where pg_get_indexdef(indexrelid) ~* ${oldWord} and pg_get_indexdef(indexrelid) !~ ' ON archive\\.'`
  return [...found, ...texts.map(row => row.word)]
}

test('today nothing is named after user_agents or their catalog, but for what is archived', async () => {
  const database = await ownDatabase('today')
  expect(await oldNames(database)).toEqual([])
  expect(await database.sql`select to_regclass('archive.user_agents')::text as kept`).toEqual([
    { kept: 'archive.user_agents' },
  ])
})

test('at the baseline tables, types, constraints, indexes, policies and a function speak of them', async () => {
  const database = await ownDatabase('baseline')
  const found = await oldNames(database)
  for (const name of [
    'pg_class.relname: user_agent_catalog',
    'pg_class.relname: ix_user_agents_status',
    'pg_type.typname: _user_agents',
    'pg_constraint.conname: uq_user_agent_catalog_agent_type',
    'pg_policy.polname: anon_select_user_agents',
    'body of create_profile_for_new_user()',
  ]) {
    expect(found).toContain(name)
  }
})
