import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { describe, expect, test } from 'vitest'
import { findDrift } from '../../../src/catalog/check.ts'
import type { Database } from '../../../src/database.ts'
import { check, dropArchive, hasDrift, migrate, packagedMigrations, rollback } from '../../../src/migrate.ts'
import { asOneBatch } from '../../../src/migrator/batches.ts'
import { readMigrations } from '../../../src/migrator/files.ts'
import { project } from '../../../src/platform/project.ts'
import { ownClient } from '../../support/client.ts'
import { ownDatabase, sharedDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { baseline, catalogs, last, named } from '../../support/migrations.ts'
import { addAgentOfNewType } from '../../support/rows.ts'
import { readCases } from '../../support/sql-cases.ts'

/** `check` has nothing to say but, once anon may read a table of ours, that. */
async function expectNoAlarm({ db, admin }: Pick<TestDatabase, 'db' | 'admin'>): Promise<void> {
  const report = await check(db)
  expect(report.differences).toEqual([])
  expect(hasDrift(report)).toBe(false)
  await admin`grant select on public.memories to anon`
  const alarmed = await check(db)
  expect(alarmed.differences.map(({ object, fact }) => [object, fact])).toEqual([
    ['table public.memories', 'grants to anon'],
  ])
}

const additions = readCases(new URL('additions.sql', import.meta.url))

describe('of what others add, check says nothing', () => {
  const at = sharedDatabase('today')

  test.for(additions)('of %s', async ([, { sql: change }]) => {
    await undone(drizzle({ client: at.admin }), async tx => {
      await tx.execute(sql.raw(change))
      expect((await findDrift(tx, project(), last, catalogs)).differences).toEqual([])
    })
  })

  test('of names that are always quoted', async () => {
    const client = ownClient(at.url, { connection: { quote_all_identifiers: true } })
    expect(await client`select quote_ident('memories') as name`).toEqual([{ name: '"memories"' }])
    expect((await findDrift(drizzle({ client }), project(), last, catalogs)).differences).toEqual([])
  })
})

test.for(['on', 'true', 'yes', '1'])('a view option that is %s is no difference', async value => {
  const { admin, db } = await ownDatabase('expanded')
  await admin.unsafe(
    `alter view public.system_agents set (security_invoker = ${value}, security_barrier = off)`,
  )
  expect((await check(db)).differences).toEqual([])
  await admin.unsafe('alter view public.system_agents set (security_invoker = off)')
  expect((await check(db)).differences).toMatchObject([{ fact: 'options', found: null }])
})

test('beside everything that others add, check still finds what is wrong with ours', async () => {
  const at = await ownDatabase('today')
  for (const [, { group, sql: change }] of additions)
    if (group === 'in the database') await at.admin.unsafe(change)
  await expectNoAlarm(at)
})

test('a search_path and other settings of the database and of the session make no difference', async () => {
  const { admin, name, url } = await ownDatabase('today')
  await admin.unsafe(`
    create schema app;
    create table app.memories (id int);
    alter database ${name} set search_path = app, archive, public, auth;
    alter database ${name} set timezone = 'Asia/Kolkata';
    alter database ${name} set datestyle = 'SQL, DMY';
    alter database ${name} set bytea_output = 'escape'`)
  const client = ownClient(url)
  expect(await client`show search_path`).toEqual([{ search_path: 'app, archive, public, auth' }])
  await expectNoAlarm({ admin, db: drizzle({ client }) })
})

test('an event trigger that turns row level security on everywhere is no difference', async () => {
  const at = await ownDatabase('stub_old')
  await at.admin.unsafe(`
    create schema ops;
    create function ops.secure() returns event_trigger language plpgsql as $$
    declare made record;
    begin
      for made in select objid from pg_event_trigger_ddl_commands() where command_tag like 'CREATE TABLE%' and object_type = 'table' loop
        execute format('alter table %s enable row level security', made.objid::regclass);
      end loop;
    end $$;
    create event trigger secure on ddl_command_end execute function ops.secure();`)
  await migrate(at.db)
  await expectNoAlarm(at)
})

test('a dropped archive is no difference', async () => {
  const at = await ownDatabase('today')
  expect((await dropArchive(at.db)).tables.length).toBeGreaterThan(0)
  expect(await at.admin`select to_regclass('archive.profiles') as copy`).toEqual([{ copy: null }])
  await expectNoAlarm(at)
})

test('nor is what waits in archive after a rollback, unless somebody may read it', async () => {
  const at = await ownDatabase('today')
  await addAgentOfNewType(at.admin)
  await rollback(at.db, { to: baseline })
  expect(await at.admin`select agent_type from archive.system_agents`).toHaveLength(1)
  await at.admin`grant select on archive.system_agents to anon`
  expect((await check(at.db)).differences).toMatchObject([
    { object: 'table archive.system_agents', fact: 'grants to anon', expected: null, found: 'SELECT' },
  ])
  await at.admin`revoke select on archive.system_agents from anon`
  await expectNoAlarm(at)
})

const scripts = new Map(readMigrations(packagedMigrations()).map(migration => [migration.name, migration]))

test.for([
  {
    what: 'up, with a check that is not validated yet',
    reach: ({ db }: TestDatabase) => migrate(db, { to: 'require_agent_prompts' }),
    online: scripts.get(named('check_memory_type'))?.upOnline,
    unproven: ['chk_memories_memory_type'],
    goOn: ({ db }: TestDatabase) => migrate(db),
  },
  {
    what: 'up, with an index whose build was cancelled',
    reach: ({ db }: TestDatabase) => migrate(db, { to: 'check_memory_type' }),
    online: scripts.get(named('index_foreign_keys'))?.upOnline,
    spoil: 'public.ix_memories_user_id_memory_type_status',
    unproven: ['ix_memories_user_id_memory_type_status'],
    goOn: ({ db }: TestDatabase) => migrate(db),
  },
  {
    what: 'down, with constraints and an index that are not valid yet',
    reach: ({ db }: TestDatabase) => rollback(db, { to: 'drop_agent_id_constraints' }),
    online: scripts.get(named('drop_agent_id_constraints'))?.downOnline,
    spoil: 'public.ix_memories_agent_type_status',
    unproven: ['chk_memory_type_agent_id', 'fk_memories_agent_id', 'ix_memories_agent_type_status'],
    goOn: ({ db }: TestDatabase) => rollback(db),
  },
])('an online script begun and given up is no difference, and is finished: $what', async step => {
  const at = await ownDatabase('contracted')
  const unproven = async () =>
    (
      await at.admin`
        select conname as name from pg_constraint where conrelid = 'public.memories'::regclass and not convalidated
         union all
        select indexrelid::regclass::text from pg_index where not indisvalid
         order by name`
    ).map(({ name }) => name)
  await step.reach(at)
  for (const statement of step.online!.statements) {
    const text = await asOneBatch(at.db, statement)
    if (!text.includes('validate constraint')) await at.sql.unsafe(text)
  }
  const { spoil = 'nothing' } = step
  await at.admin`update pg_index set indisvalid = false where indexrelid = to_regclass(${spoil})`
  expect(await unproven()).toEqual(step.unproven)
  expect((await check(at.db)).differences).toEqual([])

  await step.goOn(at)
  expect(await unproven()).toEqual([])
  await expectNoAlarm(at)
})

test('a migration that is committed while check compares is no difference', async () => {
  const at = await ownDatabase('contracted')
  let committed = false
  // The ledger has been read; the catalogs are read in a transaction.
  const db: Database = Object.assign(Object.create(at.db), {
    transaction: async (...args: Parameters<Database['transaction']>) => {
      if (!committed) await migrate(at.db)
      committed = true
      return await at.db.transaction(...args)
    },
  })
  expect(await check(db)).toMatchObject({ at: last, differences: [], pending: [] })
  expect(committed).toBe(true)
})
