import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { sharedDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'

const built = sharedDatabase('built')
const old = sharedDatabase('baseline')
const today = sharedDatabase('today')

test('the baseline has what Alembic left: every column, constraint, index, policy and trigger by its name', async () => {
  const ours = await readCatalog(old.admin)
  const objects = new Set(ours.map(line => line.split(': ')[0]))
  // A later migration sets these anew; and an index that is not ours.
  const differing =
    /: (body|configuration|index ix_of_their_own|grants to (anon|authenticated|public|service_role)): /
  const facts = (lines: string[]) =>
    lines.filter(line => objects.has(line.split(': ')[0]) && !differing.test(line))
  expect(facts(ours).length).toBeGreaterThan(100)
  expect(facts(await readCatalog(built.admin))).toEqual(facts(ours))
})

/** Every text of every catalog of PostgreSQL that holds one of the old names, but for what is in schema archive. */
async function oldNames(admin: postgres.Sql): Promise<string[]> {
  const found: string[] = []
  const catalogs = await admin`
    select c.relname as catalog,
           exists (select from pg_attribute where attrelid = c.oid and attname = 'oid') as has_oid
      from pg_class c
     where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r'
       and c.relname not in ('pg_statistic', 'pg_largeobject', 'pg_database', 'pg_db_role_setting')`
  for (const { catalog, has_oid } of catalogs) {
    const address = has_oid
      ? admin`coalesce((pg_identify_object(${catalog}::regclass, t.oid, 0)).identity, '')`
      : admin`''`
    const rows = await admin`
      select ${address} as identity, t::text as text from ${admin(catalog)} t
       where t::text ~* 'user_?agent' and ${address} !~ '(^| |\\()archive(\\.|$)'`
    for (const { identity, text } of rows) found.push(`${catalog}: ${identity} ${text.slice(0, 300)}`)
  }
  const texts = await admin`
    select 'policy ' || policyname as name, coalesce(qual, '') || coalesce(with_check, '') as text from pg_policies
    union all select 'constraint ' || conname, pg_get_constraintdef(oid) from pg_constraint
    union all select 'index ' || indexname, indexdef from pg_indexes where schemaname <> 'archive'
    union all select 'view ' || viewname, definition from pg_views where schemaname = 'public'
    union all select 'default ' || oid, pg_get_expr(adbin, adrelid) from pg_attrdef`
  for (const { name, text } of texts) if (/user_?agent/i.test(text)) found.push(`${name}: ${text}`)
  return found
}

test('today nothing in any catalog of PostgreSQL is named after the old tables, outside archive', async () => {
  const before = (await oldNames(old.admin)).join('\n')
  for (const name of [
    'user_agent_catalog_pkey',
    'ix_user_agents_status',
    ',_user_agents,',
    'anon_select_user_agents',
  ])
    expect(before).toContain(name)
  expect(before).toMatch(/^pg_proc: public\.create_profile_for_new_user\(\)/m)
  expect(await oldNames(today.admin)).toEqual([])
})

test('nor after a way down and up again', async () => {
  await rollback(today.db, { to: baseline })
  await migrate(today.db)
  expect(await oldNames(today.admin)).toEqual([])
})
