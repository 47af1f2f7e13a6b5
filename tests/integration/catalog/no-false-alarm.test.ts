import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { describe, expect, test } from 'vitest'
import { findDrift } from '../../../src/catalog/check.ts'
import type { Database } from '../../../src/database.ts'
import { check, dropArchive, hasDrift, migrate, packagedMigrations, rollback } from '../../../src/migrate.ts'
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
    way: 'up',
    reach: ({ db }: TestDatabase) => migrate(db, { to: 'secure_system_agents' }),
    online: scripts.get(named('harden_the_tables'))?.upOnline,
    unproven: ['chk_memories_memory_type'],
    spoil: `update pg_index set indisvalid = false where indexrelid = 'public.ix_system_agents_llm_id'::regclass`,
  },
  {
    way: 'down',
    reach: ({ db }: TestDatabase) => rollback(db, { to: 'let_go_of_agent_id' }),
    online: scripts.get(named('let_go_of_agent_id'))?.downOnline,
    unproven: ['chk_memory_type_agent_id', 'fk_memories_agent_id'],
    spoil: 'select',
  },
])('an online script on the way $way, begun and given up, is no difference', async step => {
  const at = await ownDatabase('contracted')
  const unproven = async () =>
    (
      await at.admin`
        select conname from pg_constraint
         where conrelid = 'public.memories'::regclass and not convalidated order by conname`
    ).map(({ conname }) => conname)
  await step.reach(at)
  const statements = step.online!.statements.map(statement => statement.sql)
  for (const statement of statements) {
    if (!statement.includes('validate constraint')) await at.sql.unsafe(statement)
  }
  await at.admin.unsafe(step.spoil)
  expect(await unproven()).toEqual(step.unproven)
  expect((await check(at.db)).differences).toEqual([])

  for (const statement of statements) await at.sql.unsafe(statement)
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
