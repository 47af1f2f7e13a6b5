import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { MigrationError, migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { baseline, migrationsSince } from '../../support/migrations.ts'
import { addCatalog, readLedger, readRows } from '../../support/rows.ts'
import { createTemplate, using } from '../../support/templates.ts'

const contract = 'rename_the_catalog_and_drop_user_agents'
const beforeContract = migrationsSince[migrationsSince.indexOf(contract) - 1]!
const first = migrationsSince[0]!

let database: TestDatabase
let user: string

/** One user, whose one memory is work: at the baseline, after the contract step, and back before it. */
beforeAll(async () => {
  const make = (name: string, from: string, prepare: (sql: postgres.Sql) => Promise<unknown>) =>
    createTemplate(inject('run'), name, from, async ({ url, adminUrl }) => {
      await using(name === 'one_user' ? adminUrl : url, prepare)
    })
  await make('one_user', 'baseline', async admin => {
    await addCatalog(admin)
    user = await signUp(admin)
    await admin`
      insert into public.memories (user_id, agent_id, memory_type, content, status)
      select user_id, id, 'work', 'content', 'active' from public.user_agents where agent_type = 'TASK_EXECUTION'`
  })
  await make('one_user_contracted', 'one_user', client => migrate(drizzle({ client }), { to: contract }))
  await make('one_user_back', 'one_user_contracted', client =>
    rollback(drizzle({ client }), { to: beforeContract }),
  )
})

/** Every test of a group begins in that state. */
function beginIn(state: string): void {
  beforeEach(async () => {
    database = await ownDatabase(state)
  })
}

const everything = async ({ admin }: TestDatabase) => ({
  rows: await readRows(admin, ['public', 'auth', 'archive', 'drizzle']),
  catalog: await readCatalog(admin),
  ledger: await readLedger(admin),
})

/** Expects one step to fail in that migration with that SQLSTATE, to say all of `saying`, and to change nothing. */
async function expectStop(
  step: () => Promise<unknown>,
  { at, sqlState, saying }: { at: string; sqlState: string; saying: string[] },
): Promise<void> {
  const before = await everything(database)
  const error = await step().then(
    () => undefined,
    error => error,
  )
  expect(error).toBeInstanceOf(MigrationError)
  expect(error).toMatchObject({ sqlState })
  for (const words of [at, ...saying]) expect(error.message).toContain(words)
  expect(await everything(database)).toEqual(before)
}

describe('the way down stops', () => {
  beginIn('one_user_contracted')
  const down = () => rollback(database.db)

  test('where archived agents need a model that was deleted', async () => {
    await database.admin`update archive.user_agents set llm_id = md5('model 2')::uuid where agent_type <> 'TASK_EXECUTION'`
    await database.admin`delete from public.llms where model_code = 'model-2'`
    await expectStop(down, {
      at: `${contract}/down`,
      sqlState: '55000',
      saying: ['archive.user_agents: 2 rows need a model that is no longer in public.llms'],
    })
  })

  test('where memories have a type that the old schema does not know', async () => {
    await database.admin`
      insert into public.memories (user_id, memory_type, content, status)
      select ${user}, 'dream', 'content', 'active' from generate_series(1, 3)`
    await expectStop(down, {
      at: `${contract}/down`,
      sqlState: '55000',
      saying: ['public.memories: 3 rows have a memory_type that the old schema does not know'],
    })
  })

  test('where work memories belong to users without a TASK_EXECUTION agent', async () => {
    await database.admin`delete from public.system_agents where agent_type = 'TASK_EXECUTION'`
    const newcomer = await signUp(database.admin)
    await database.admin`
      insert into public.memories (user_id, memory_type, content, status)
      select ${newcomer}, 'work', 'content', 'active' from generate_series(1, 2)`
    await expectStop(down, {
      at: `${contract}/down`,
      sqlState: '55000',
      saying: ['public.memories: 2 work memories belong to users without a TASK_EXECUTION agent'],
    })
  })

  test.for([
    'drop schema archive cascade',
    'drop table archive.user_agents',
    'drop table archive.memory_agents',
  ])('after %s', async statement => {
    await database.admin.unsafe(statement)
    await expectStop(down, {
      at: `${contract}/down`,
      sqlState: '55000',
      saying: ['the rows kept for the way back are gone', 'archive'],
    })
  })

  test.for(['drop table archive.profiles', 'drop table archive.profile_settings'])(
    'after %s',
    async statement => {
      await database.admin.unsafe(statement)
      await expectStop(down, {
        at: `${contract}/down`,
        sqlState: '55000',
        saying: ['the rows kept for the way back are gone', statement.slice('drop table '.length)],
      })
    },
  )

  test('and goes on once what stopped it is mended', async () => {
    await database.admin`
      insert into public.memories (user_id, memory_type, content, status) values (${user}, 'dream', 'c', 'active')`
    await expect(down()).rejects.toMatchObject({ sqlState: '55000' })
    await database.admin`update public.memories set memory_type = 'user' where memory_type = 'dream'`
    await rollback(database.db, { to: baseline })
    expect(await database.admin`select from public.user_agents`).toHaveLength(3)
  })
})

describe('the way down stops once more, before it fills the tables', () => {
  beginIn('one_user_back')
  const down = () => rollback(database.db)

  test('where a model was deleted meanwhile', async () => {
    await database.admin`delete from public.user_agent_catalog`
    await database.admin`delete from public.llms`
    await expectStop(down, {
      at: `${beforeContract}/`,
      sqlState: '55000',
      saying: ['archive.user_agents: 3 rows need a model that is no longer in public.llms'],
    })
  })

  test('where a memory was given another type meanwhile', async () => {
    await database.admin`update public.memories set memory_type = 'dream'`
    await expectStop(down, {
      at: `${beforeContract}/`,
      sqlState: '55000',
      saying: ['public.memories: 1 rows have a memory_type that the old schema does not know'],
    })
  })
})

test('the first migration does not go back over rows of users', async () => {
  database = await ownDatabase('one_user')
  await rollback(database.db, { to: 'create_the_agent_tables' })
  const stop = (words: string) =>
    expectStop(() => rollback(database.db), {
      at: 'create_the_agent_tables/down',
      sqlState: '55000',
      saying: [words],
    })
  await stop('public.profiles holds 1 rows that belong to users')
  await database.admin`delete from public.profiles`
  await database.admin`delete from public.memories`
  await stop('public.user_agents holds 3 rows that belong to users')
  await database.admin`delete from auth.users`
  await rollback(database.db)
  expect(await readCatalog(database.admin)).toEqual([])
})

describe('the way up stops', () => {
  beginIn('one_user')
  const up = (to: string) => () => migrate(database.db, { to })

  test.for([
    { name: 'report', make: 'create view public.report as select user_id from public.user_agents' },
    {
      name: 'favourites_agent_id_fkey',
      make: 'create table public.favourites (agent_id uuid references public.user_agents)',
    },
    { name: 'busy', make: 'create view public.busy as select agent_id from public.memories' },
  ])('before it drops what $name, which is not ours, needs', async ({ name, make }) => {
    await migrate(database.db, { to: beforeContract })
    await database.admin.unsafe(make)
    await expectStop(up(contract), { at: `${contract}/migration.sql`, sqlState: '2BP01', saying: [name] })
  })

  test('before it uses a schema called archive that is not ours', async () => {
    await database.admin`create schema archive`
    await database.admin`create table archive.letters ()`
    await expectStop(up(first), {
      at: `${first}/migration.sql`,
      sqlState: '42P06',
      saying: ['the schema archive exists and is not of this package'],
    })
  })

  test('before it checks memory_type, where there is another', async () => {
    await migrate(database.db, { to: 'secure_system_agents' })
    await database.admin`
      insert into public.memories (user_id, memory_type, content, status)
      select ${user}, 'dream', 'content', 'active' from generate_series(1, 2)`
    await expectStop(up('harden_the_tables'), {
      at: 'harden_the_tables/',
      sqlState: '23514',
      saying: ['public.memories: 2 rows have a memory_type other than work and user'],
    })
  })
})
