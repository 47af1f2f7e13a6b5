import { sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findDrift } from '../../../src/catalog/check.ts'
import { readCatalogs } from '../../../src/catalog/files.ts'
import type { Database } from '../../../src/database.ts'
import { check, dropArchive, hasDrift, migrate, packagedMigrations, rollback } from '../../../src/migrate.ts'
import { readMigrations } from '../../../src/migrator/files.ts'
import { project } from '../../../src/platform/project.ts'
import { createDatabase, ownDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { addAgentOfNewType } from '../../support/rows.ts'
import { connect } from '../../support/templates.ts'

const catalogs = readCatalogs(packagedMigrations())
const last = [...catalogs.keys()].at(-1)!

/** Nothing to say of it but, once anon may read a table of ours, that. */
async function expectNoAlarm({ db, admin }: TestDatabase): Promise<void> {
  const report = await check(db)
  expect(report.differences).toEqual([])
  expect(hasDrift(report)).toBe(false)
  await admin`grant select on public.memories to anon`
  const alarmed = await check(db)
  expect(alarmed.differences.map(({ object, fact }) => [object, fact])).toEqual([
    ['table public.memories', 'grants to anon'],
  ])
}

const additions: Record<string, string> = {
  'tables, views and sequences of their own in public, open to everybody': `
    create table public.theirs (id serial primary key);
    create view public.all_of_theirs as select * from public.theirs;
    grant all on public.theirs, public.all_of_theirs to anon;`,
  'schemas of their own, with tables that are called as ours are': `
    create schema app;
    create table app.memories (id int);
    create table app.profiles (like public.profiles);
    grant all on all tables in schema app to anon;`,
  'further indexes on our tables': `
    create index on public.memories (created_at);
    create index their_index on public.profiles (lower(username));`,
  'a trigger of their own on auth.users': `
    create schema app;
    create function app.create_profile_for_new_user() returns trigger language plpgsql as 'begin return new; end';
    create trigger theirs after insert or update on auth.users
      for each row execute function app.create_profile_for_new_user();
    alter table auth.users disable trigger theirs;`,
  'views and foreign keys onto our tables': `
    create view public.busy as select user_id, count(*) from public.memories group by user_id;
    create table public.tags (memory_id uuid not null references public.memories (id) on delete cascade);`,
  'functions that are called as ours are, with other arguments or in another schema': `
    create schema app;
    create function public.create_profile_for_new_user(id uuid) returns uuid language sql as 'select $1';
    create function app.keep_updated_at() returns int language sql as 'select 1';`,
  'storage settings of our tables': `
    alter table public.memories set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
    alter table public.memories alter column content set storage external;
    alter table public.memories alter column user_id set statistics 500;
    alter index public.ix_memories_user_id_memory_type_status set (fillfactor = 80);`,
  'comments on what is ours': `
    comment on table public.memories is 'theirs';
    comment on column public.memories.content is 'theirs';
    comment on policy anon_select_memories on public.memories is 'theirs';
    comment on constraint fk_memories_user_id on public.memories is 'theirs';
    comment on function public.create_profile_for_new_user() is 'theirs';`,
  'statistics objects on our tables': `
    create statistics public.theirs on user_id, memory_type from public.memories;
    analyze public.memories;`,
  'a publication, and an identity for replication': `
    create publication theirs for table public.memories;
    alter table public.memories replica identity full;`,
  'another order of the columns': `
    alter table public.profiles drop column bio;
    alter table public.profiles add column bio text;
    alter table public.memories drop column updated_at;
    alter table public.memories add column updated_at timestamptz not null default now();`,
}

describe('of what others add, check says nothing', () => {
  let database: TestDatabase
  let db: PostgresJsDatabase
  beforeAll(async () => {
    database = await createDatabase('today')
    db = drizzle({ client: database.admin })
  })
  afterAll(() => database.drop())

  test.each(Object.keys(additions))('of %s', async what => {
    await undone(db, async tx => {
      await tx.execute(sql.raw(additions[what]!))
      expect(await findDrift(tx, project(), last, catalogs)).toEqual([])
    })
  })

  test('of names that are always quoted', async () => {
    const client = connect(database.url, { max: 1, connection: { quote_all_identifiers: true } })
    try {
      expect(await client`select quote_ident('memories') as name`).toEqual([{ name: '"memories"' }])
      expect(await findDrift(drizzle({ client }), project(), last, catalogs)).toEqual([])
    } finally {
      await client.end()
    }
  })
})

test('beside everything that others add, check still finds what is wrong with ours', async () => {
  const database = await ownDatabase('today')
  for (const addition of Object.values(additions)) {
    await database.admin.unsafe(addition.replace('create schema app;', 'create schema if not exists app;'))
  }
  await expectNoAlarm(database)
})

test('a search_path and other settings of the database and of the session make no difference', async () => {
  const database = await ownDatabase('today')
  const { admin, name, url } = database
  await admin.unsafe(`
    create schema app;
    create table app.memories (id int);
    alter database ${name} set search_path = app, archive, public, auth;
    alter database ${name} set timezone = 'Asia/Kolkata';
    alter database ${name} set datestyle = 'SQL, DMY';
    alter database ${name} set bytea_output = 'escape'`)
  const client = connect(url, { max: 1 })
  try {
    expect(await client`show search_path`).toEqual([{ search_path: 'app, archive, public, auth' }])
    await expectNoAlarm({ ...database, db: drizzle({ client }) })
  } finally {
    await client.end()
  }
})

test('an archive that was dropped is none of the differences', async () => {
  const database = await ownDatabase('today')
  expect((await dropArchive(database.db)).tables.length).toBeGreaterThan(0)
  expect(await database.admin`select to_regclass('archive.profiles') as copy`).toEqual([{ copy: null }])
  await expectNoAlarm(database)
})

test('nor is what waits in archive on the way down, unless somebody may read it', async () => {
  const database = await ownDatabase('today')
  await addAgentOfNewType(database.admin)
  await rollback(database.db, { to: 'secure_the_agent_tables' })
  expect(await database.admin`select agent_type from archive.system_agents`).toHaveLength(1)
  await database.admin`grant select on archive.system_agents to anon`
  expect((await check(database.db)).differences).toMatchObject([
    { object: 'table archive.system_agents', fact: 'grants to anon', expected: null, found: 'SELECT' },
  ])
  await database.admin`revoke select on archive.system_agents from anon`
  await expectNoAlarm(database)
})

describe('an online part that was begun and given up is none of the differences', () => {
  const named = (name: string) =>
    readMigrations(packagedMigrations()).find(migration => migration.name.endsWith(`_${name}`))!
  const unvalidated = ({ admin }: TestDatabase) => admin`
    select conname from pg_constraint where conrelid = 'public.memories'::regclass and not convalidated order by conname`

  test('on the way up', async () => {
    const database = await ownDatabase('contracted')
    await migrate(database.db, { to: 'secure_system_agents' })
    const statements = named('harden_the_tables').upOnline!.statements.map(statement => statement.sql)
    for (const statement of statements.filter(text => !text.includes('validate constraint'))) {
      await database.sql.unsafe(statement)
    }
    await database.admin`
      update pg_index set indisvalid = false where indexrelid = 'public.ix_system_agents_llm_id'::regclass`
    expect(await unvalidated(database)).toEqual([{ conname: 'chk_memories_memory_type' }])
    expect((await check(database.db)).differences).toEqual([])

    for (const statement of statements) await database.sql.unsafe(statement)
    expect(await unvalidated(database)).toEqual([])
    await expectNoAlarm(database)
  })

  test('on the way down', async () => {
    const database = await ownDatabase('contracted')
    await rollback(database.db, { to: 'let_go_of_agent_id' })
    const statements = named('let_go_of_agent_id').downOnline!.statements.map(statement => statement.sql)
    for (const statement of statements.filter(text => !text.includes('validate constraint'))) {
      await database.sql.unsafe(statement)
    }
    expect(await unvalidated(database)).toEqual([
      { conname: 'chk_memory_type_agent_id' },
      { conname: 'fk_memories_agent_id' },
    ])
    expect((await check(database.db)).differences).toEqual([])

    for (const statement of statements) await database.sql.unsafe(statement)
    expect(await unvalidated(database)).toEqual([])
    await expectNoAlarm(database)
  })
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
  const report = await check(db)
  expect(committed).toBe(true)
  expect(report).toMatchObject({
    at: last,
    differences: [],
    pending: [],
  })
})
