import type postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { DEPLOYER } from '../../support/templates.ts'

let old: TestDatabase
let today: TestDatabase
beforeAll(async () => {
  old = await createDatabase('baseline')
  today = await createDatabase('today')
})
afterAll(async () => {
  await old.drop()
  await today.drop()
})

const tables = ['llms', 'memories', 'profiles', 'user_agent_catalog', 'user_agents']

test('the baseline has the tables and columns that Alembic left', async () => {
  const id = 'id uuid not null default gen_random_uuid()'
  const idWithout = 'id uuid not null'
  const times = [
    'created_at timestamp with time zone not null default now()',
    'updated_at timestamp with time zone not null default now()',
  ]
  const config = `config jsonb not null default '{}'::jsonb`
  const agentType = 'agent_type character varying(20) not null'
  const status = 'status character varying(20) not null'
  const columns: Record<string, string[]> = {
    llms: [
      id,
      'model_code character varying(100) not null',
      'provider character varying(50) not null',
      'display_name character varying(100) not null',
      config,
      status,
      ...times,
    ],
    memories: [
      id,
      'user_id uuid not null',
      'agent_id uuid',
      'memory_type character varying(20) not null',
      'content text not null',
      status,
      ...times,
    ],
    profiles: [
      idWithout,
      'username text',
      'avatar_url text',
      'bio text',
      `settings jsonb not null default '{}'::jsonb`,
      ...times,
    ],
    user_agent_catalog: [id, agentType, 'llm_id uuid not null', config, status, ...times],
    user_agents: [
      idWithout,
      'user_id uuid not null',
      'llm_id uuid not null',
      agentType,
      config,
      status,
      'created_by uuid',
      'updated_by uuid',
      'deleted_at timestamp with time zone',
      ...times,
    ],
  }
  const found = await old.admin`
    select c.relname as table, array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
             || case when a.attnotnull then ' not null' else '' end
             || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as columns
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'public'::regnamespace and c.relkind not in ('i', 'I')
     group by c.relname`
  const actual = Object.fromEntries(found.map(({ table, columns }) => [table, columns.sort()]))
  expect(actual).toEqual(
    Object.fromEntries(Object.entries(columns).map(([table, list]) => [table, list.sort()])),
  )
})

test('the baseline has the constraints that Alembic left, by name', async () => {
  const user = (column: string, action: string) =>
    `FOREIGN KEY (${column}) REFERENCES auth.users(id) ON DELETE ${action}`
  const model = 'FOREIGN KEY (llm_id) REFERENCES llms(id) ON DELETE RESTRICT'
  const expected: Record<string, string | RegExp> = {
    'llms_pkey on llms': 'PRIMARY KEY (id)',
    'uq_llms_model_code on llms': 'UNIQUE (model_code)',
    'memories_pkey on memories': 'PRIMARY KEY (id)',
    'fk_memories_user_id on memories': user('user_id', 'CASCADE'),
    'fk_memories_agent_id on memories': 'FOREIGN KEY (agent_id) REFERENCES user_agents(id) ON DELETE CASCADE',
    'chk_memory_type_agent_id on memories':
      /^CHECK .*'work'.*agent_id IS NOT NULL.* OR .*'user'.*agent_id IS NULL/,
    'profiles_pkey on profiles': 'PRIMARY KEY (id)',
    'fk_profiles_id on profiles': user('id', 'CASCADE'),
    'user_agent_catalog_pkey on user_agent_catalog': 'PRIMARY KEY (id)',
    'uq_user_agent_catalog_agent_type on user_agent_catalog': 'UNIQUE (agent_type)',
    'fk_user_agent_catalog_llm_id on user_agent_catalog': model,
    'chk_user_agent_catalog_status on user_agent_catalog': /^CHECK .*status.*'active'.*'inactive'/,
    'user_agents_pkey on user_agents': 'PRIMARY KEY (id)',
    'uq_user_agents_user_id_agent_type on user_agents': 'UNIQUE (user_id, agent_type)',
    'chk_agent_type on user_agents': /^CHECK .*'INTENT_RECOGNITION'.*'TASK_EXECUTION'.*'RESULT_REPORTING'/,
    'fk_user_agents_user_id on user_agents': user('user_id', 'CASCADE'),
    'fk_user_agents_llm_id on user_agents': model,
    'fk_user_agents_created_by on user_agents': user('created_by', 'SET NULL'),
    'fk_user_agents_updated_by on user_agents': user('updated_by', 'SET NULL'),
  }
  const found = await old.admin`
    select conname || ' on ' || conrelid::regclass as name, pg_get_constraintdef(oid) as definition, convalidated
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'`
  expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort())
  for (const { name, definition, convalidated } of found) {
    expect(convalidated).toBe(true)
    const wanted = expected[name]!
    if (typeof wanted === 'string') expect(definition).toBe(wanted)
    else expect(definition).toMatch(wanted)
  }
})

test('the baseline has the indexes, the policies, the trigger and the grants that are said, by name', async () => {
  const indexes = await old.admin`
    select indexname || ' ' || substring(indexdef from '\\(.*') as index from pg_indexes
     where schemaname = 'public' and indexname like 'ix%' order by 1`
  expect(indexes.map(({ index }) => index)).toEqual([
    'ix_memories_agent_type_status (agent_id, memory_type, status)',
    'ix_user_agents_agent_type (agent_type)',
    'ix_user_agents_status (status)',
  ])
  const policies = await old.admin`
    select policyname, tablename, permissive, roles::text, cmd, qual, with_check from pg_policies where schemaname = 'public'`
  const expected = ['anon', 'authenticated'].flatMap(role =>
    tables.flatMap(table =>
      ['select', 'insert', 'update', 'delete'].map(verb => ({
        policyname: `${role}_${verb}_${table}`,
        tablename: table,
        permissive: 'PERMISSIVE',
        roles: `{${role}}`,
        cmd: verb.toUpperCase(),
        qual: verb === 'insert' ? null : 'false',
        with_check: verb === 'insert' || verb === 'update' ? 'false' : null,
      })),
    ),
  )
  const byName = (a: { policyname?: string }, b: { policyname?: string }) =>
    a.policyname! < b.policyname! ? -1 : 1
  expect([...policies].sort(byName)).toEqual(expected.sort(byName))
  const unprotected = await old.admin`
    select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not relrowsecurity`
  expect(unprotected).toHaveLength(0)
  const triggers = await old.admin`
    select tgname, tgrelid::regclass::text as table, tgfoid::regprocedure::text as function, pg_get_triggerdef(oid) as definition
      from pg_trigger where not tgisinternal`
  expect([...triggers]).toEqual([
    {
      tgname: 'on_auth_user_created',
      table: 'auth.users',
      function: 'create_profile_for_new_user()',
      definition: expect.stringContaining('AFTER INSERT ON auth.users FOR EACH ROW'),
    },
  ])
  const functions = await old.admin`
    select proname, prosecdef, proconfig from pg_proc where pronamespace = 'public'::regnamespace`
  expect([...functions]).toEqual([
    { proname: 'create_profile_for_new_user', prosecdef: true, proconfig: ['search_path=""'] },
  ])
  for (const table of tables) {
    const [rights] = await old.admin`
      select has_table_privilege('service_role', ${table}, 'select')   as reads,
             has_table_privilege('service_role', ${table}, 'truncate') as truncates,
             has_any_column_privilege('anon', ${table}, 'select, insert, update, references')          as anon,
             has_any_column_privilege('authenticated', ${table}, 'select, insert, update, references') as authenticated,
             has_table_privilege('anon', ${table}, 'delete, truncate, trigger')
          or has_table_privilege('authenticated', ${table}, 'delete, truncate, trigger') as other`
    expect(rights).toEqual({ reads: true, truncates: true, anon: false, authenticated: false, other: false })
  }
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
  const before = await oldNames(old.admin)
  for (const name of [
    'user_agent_catalog_pkey',
    'ix_user_agents_status',
    '_user_agents',
    'anon_select_user_agents',
  ]) {
    expect(
      before.some(line => line.includes(name)),
      name,
    ).toBe(true)
  }
  expect(before.some(line => line.startsWith('pg_proc: public.create_profile_for_new_user()'))).toBe(true)
  expect(await oldNames(today.admin)).toEqual([])
})

test('nor after a way down and up again', async () => {
  await rollback(today.db, { to: baseline })
  await migrate(today.db)
  expect(await oldNames(today.admin)).toEqual([])
})

test('all of it was deployed by a role that is no superuser and owns nothing in auth', async () => {
  const [role] =
    await today.sql`select current_user as name, rolsuper from pg_roles where rolname = current_user`
  expect(role).toEqual({ name: DEPLOYER.role, rolsuper: false })
  const owners = await today.sql`
    select relname, pg_get_userbyid(relowner) as owner from pg_class
     where oid in ('auth.users'::regclass, 'public.system_agents'::regclass) order by relname`
  expect([...owners]).toEqual([
    { relname: 'system_agents', owner: DEPLOYER.role },
    { relname: 'users', owner: 'supabase_auth_admin' },
  ])
  const [schema] =
    await today.sql`select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = 'auth'`
  expect(schema).toEqual({ owner: 'supabase_auth_admin' })
  await expect(today.sql`create table auth.ours ()`).rejects.toMatchObject({ code: '42501' })
})
