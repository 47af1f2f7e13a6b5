import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { MigrationError, migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog, stateOf } from '../../support/catalog.ts'
import { databaseForEach, ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { baseline, migrationsSince } from '../../support/migrations.ts'
import { addCatalog } from '../../support/rows.ts'
import { createTemplate, using } from '../../support/templates.ts'

const contract = 'rename_catalog_and_drop_user_agents'
const beforeContract = migrationsSince[migrationsSince.indexOf(contract) - 1]!
const first = migrationsSince[0]!

/** One user, whose one memory is work: at the baseline, after the contract step, and back before it. */
beforeAll(async () => {
  const make = (name: string, from: string, prepare: (sql: postgres.Sql) => Promise<unknown>) =>
    createTemplate(inject('run'), name, from, ({ url, adminUrl }) =>
      using(name === 'one_user' ? adminUrl : url, prepare),
    )
  await make('one_user', 'baseline', async admin => {
    await addCatalog(admin)
    await signUp(admin)
    await admin`
      insert into public.memories (user_id, agent_id, memory_type, content, status)
      select user_id, id, 'work', 'content', 'active' from public.user_agents where agent_type = 'TASK_EXECUTION'`
  })
  await make('one_user_contracted', 'one_user', client => migrate(drizzle({ client }), { to: contract }))
  await make('one_user_back', 'one_user_contracted', client =>
    rollback(drizzle({ client }), { to: beforeContract }),
  )
})

/** Expects a migration to stop in that script with that SQLSTATE, to say why, and to change nothing. */
async function expectStop(
  at: TestDatabase,
  run: (db: TestDatabase['db']) => Promise<unknown>,
  script: string,
  sqlState: string,
  ...saying: string[]
): Promise<void> {
  const before = await stateOf(at)
  const error = (await run(at.db).catch(error => error)) as MigrationError
  expect(error).toBeInstanceOf(MigrationError)
  expect(error).toMatchObject({ sqlState })
  for (const words of [script, ...saying]) expect(error.message).toContain(words)
  expect(await stateOf(at)).toEqual(before)
}

const dream = (times: number) => `
  insert into public.memories (user_id, memory_type, content, status)
  select id, 'dream', 'content', 'active' from auth.users, generate_series(1, ${times})`

describe('the way down stops', () => {
  const at = databaseForEach('one_user_contracted')
  const gone = 'the copies that a rollback needs are missing'

  test.for([
    [
      'where archived agents need a model that was deleted',
      `update archive.user_agents set llm_id = md5('model 2')::uuid where agent_type <> 'TASK_EXECUTION';
       delete from public.llms where model_code = 'model-2'`,
      'archive.user_agents: 2 rows need a model that is no longer in public.llms',
    ],
    [
      'where memories have a type that the old schema does not know',
      dream(3),
      'public.memories: 3 rows have a memory_type that the old schema does not know',
    ],
    [
      'where work memories belong to users without a TASK_EXECUTION agent',
      `delete from public.system_agents where agent_type = 'TASK_EXECUTION';
       insert into auth.users (id) values (gen_random_uuid());
       insert into public.memories (user_id, memory_type, content, status)
       select id, 'work', 'content', 'active' from auth.users, generate_series(1, 2)
        where id not in (select user_id from archive.user_agents)`,
      'public.memories: 2 work memories belong to users without a TASK_EXECUTION agent',
    ],
    ['after archive was dropped', 'drop schema archive cascade', `archive: ${gone}`],
    ['after agents in it were', 'drop table archive.user_agents', `archive.user_agents: ${gone}`],
    ['after links in it were', 'drop table archive.memory_agents', `archive.memory_agents: ${gone}`],
    ['after profiles in it were', 'drop table archive.profiles', `archive.profiles: ${gone}`],
    ['after settings in it were', 'drop table archive.profile_settings', `archive.profile_settings: ${gone}`],
  ])('%s', async ([, meanwhile, says]) => {
    await at.admin.unsafe(meanwhile!)
    await expectStop(at, db => rollback(db), `${contract}/down`, '55000', says!)
  })

  test('and goes on once what stopped it is mended', async () => {
    await at.admin.unsafe(dream(1))
    await expect(rollback(at.db)).rejects.toMatchObject({ sqlState: '55000' })
    await at.admin`update public.memories set memory_type = 'user' where memory_type = 'dream'`
    await rollback(at.db, { to: baseline })
    expect(await at.admin`select from public.user_agents`).toHaveLength(3)
  })
})

describe('the way down stops once more, before it fills the tables', () => {
  const at = databaseForEach('one_user_back')

  test.for([
    [
      'where a model was deleted meanwhile',
      'delete from public.user_agent_catalog; delete from public.llms',
      'archive.user_agents: 3 rows need a model that is no longer in public.llms',
    ],
    [
      'where a memory was given another type meanwhile',
      `update public.memories set memory_type = 'dream'`,
      'public.memories: 1 rows have a memory_type that the old schema does not know',
    ],
  ])('%s', async ([, meanwhile, says]) => {
    await at.admin.unsafe(meanwhile!)
    await expectStop(at, db => rollback(db), `${beforeContract}/`, '55000', says!)
  })
})

test('the first migration does not go back over rows of users', async () => {
  const at = await ownDatabase('one_user')
  await rollback(at.db, { to: 'create_agent_tables' })
  const stop = (table: string, rows: number) =>
    expectStop(
      at,
      db => rollback(db),
      'create_agent_tables/down',
      '55000',
      `public.${table} holds ${rows} rows that belong to users`,
    )
  await stop('profiles', 1)
  await at.admin`delete from public.profiles`
  await at.admin`delete from public.memories`
  await stop('user_agents', 3)
  await at.admin`delete from auth.users`
  await rollback(at.db)
  expect((await readCatalog(at.admin)).filter(fact => !fact.startsWith('schema public'))).toEqual([])
})

test('nor over those of a user who signs up while it waits for the lock to drop them', async () => {
  const { db, sql, admin } = await ownDatabase('stub_old')
  await migrate(db, { to: 'create_agent_tables' })
  const { outcome } = await admin.begin(async tx => {
    await tx`insert into auth.users (id, email) values (${crypto.randomUUID()}, 'ada@example.test')`
    const outcome = rollback(db).catch((error: unknown) => error)
    const waiting = () => admin`select from pg_locks where not granted and relation = 'auth.users'::regclass`
    await eventually(waiting).not.toHaveLength(0)
    return { outcome }
  })
  expect(await outcome).toMatchObject({ code: 'STATEMENT_FAILED', sqlState: '55000' })
  expect(await sql`select username from public.profiles`).toEqual([{ username: 'ada' }])
})

describe('the way up stops', () => {
  const at = databaseForEach('one_user')

  test('before it uses a schema called archive that is not ours', async () => {
    await at.admin.unsafe('create schema archive; create table archive.letters ()')
    const says = 'the schema archive holds objects that are not of this package'
    await expectStop(at, db => migrate(db, { to: first }), `${first}/migration.sql`, '42P06', says)
  })

  test('before it checks memory_type, where there is another', async () => {
    await migrate(at.db, { to: 'require_agent_prompts' })
    await at.admin.unsafe(dream(2))
    const says = 'public.memories: 2 rows have a memory_type other than work and user'
    await expectStop(at, db => migrate(db), 'check_memory_type/', '23514', says)
  })
})

test('a table of somebody else in archive stays, and stops no rollback', async () => {
  const at = await ownDatabase('one_user_contracted')
  await at.admin`create table archive.letters (text text)`
  await rollback(at.db, { to: baseline })
  expect(await at.admin`select from archive.letters`).toEqual([])
  await at.admin`delete from auth.users`
  await rollback(at.db, { to: 'create_agent_tables' })
  await rollback(at.db)
  expect(await at.admin`select to_regclass('archive.letters')::text as theirs`).toEqual([
    { theirs: 'archive.letters' },
  ])
})
