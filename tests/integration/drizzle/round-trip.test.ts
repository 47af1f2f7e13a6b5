import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { createDatabase, ownDatabase, type TestDatabase } from '../../support/database.ts'
import { baseline, migrationsSince } from '../../support/migrations.ts'
import { fill, ODD_SETTINGS, type Rows, readRows } from '../../support/rows.ts'

let database: TestDatabase
let atFirst: { rows: Rows; catalog: string[] }
let today: { rows: Rows; catalog: string[] }

const read = async ({ admin }: TestDatabase) => ({
  rows: await readRows(admin),
  catalog: await readCatalog(admin),
})

beforeAll(async () => {
  database = await createDatabase('baseline')
  await fill(database.admin, { users: 1000, memories: 5000 })
  atFirst = await read(database)
  await migrate(database.db)
  today = await read(database)
})
afterAll(() => database.drop())

test('begins with every kind of row that years of use leave behind', async () => {
  const [agents] = await database.admin`
    select count(*)::int                                                  as all,
           count(*) filter (where created_by is null)::int > 100          as without_creator,
           count(*) filter (where created_by <> user_id)::int > 100       as made_by_another,
           count(*) filter (where deleted_at is not null)::int > 100      as deleted,
           count(*) filter (where llm_id <> md5('model 1')::uuid)::int > 100 as with_another_model,
           count(distinct user_id)::int                                   as users
      from archive.user_agents`
  expect(agents).toMatchObject({
    without_creator: true,
    made_by_another: true,
    deleted: true,
    with_another_model: true,
  })
  expect(agents?.users).toBeLessThan(1000)
  const [memories] = await database.admin`
    select count(*) filter (where a.user_id = m.user_id)::int > 1000 as of_the_owner,
           count(*) filter (where a.user_id <> m.user_id)::int > 100 as of_another,
           count(*)::int as work
      from archive.memory_agents k
      join public.memories m on m.id = k.memory_id
      join archive.user_agents a on a.id = k.agent_id`
  expect(memories).toEqual({ of_the_owner: true, of_another: true, work: 2500 })
  expect(atFirst.rows['auth.users']).toHaveLength(1000)
  expect(atFirst.rows['public.memories']).toHaveLength(5000)
  expect(atFirst.rows['public.profiles']).toHaveLength(1000)
  expect(atFirst.rows['public.user_agents']).toHaveLength(agents?.all)
})

test('the way up ends in the schema of an empty database, and in settings with agent_prompts alone', async () => {
  const empty = await ownDatabase('today')
  expect(today.catalog).toEqual(await readCatalog(empty.admin))
  const settings = await database.admin`select distinct settings::text as text from public.profiles`
  expect(settings.map(({ text }) => text).sort()).toEqual(
    [
      '{"agent_prompts": {}}',
      '{"theme": 1.0, "agent_prompts": {}}',
      '{"theme": "dark", "agent_prompts": {}}',
      '{"agent_prompts": {"TASK_EXECUTION": "x"}}',
      nested(),
    ].sort(),
  )
})

function nested(): string {
  const exponent = `1${'0'.repeat(400)}`
  return `{"nested": {"agent_prompts": {"deep": [null, {"é\u2028😀": ${exponent}}]}}, "agent_prompts": {}}`
}

test('the way down restores every row byte for byte, and the schema, and leaves no archive', async () => {
  const { undone } = await rollback(database.db, { to: baseline })
  expect(undone).toHaveLength(migrationsSince.length)
  const again = await read(database)
  expect(again.rows).toEqual(atFirst.rows)
  expect(again.catalog).toEqual(atFirst.catalog)
  expect(await database.admin`select to_regnamespace('archive') as archive`).toEqual([{ archive: null }])
  const [settings] =
    await database.admin`select count(distinct settings::text)::int as kinds from public.profiles`
  expect(settings).toEqual({ kinds: ODD_SETTINGS.length })
})

test('up again has the rows and the schema of the first time', async () => {
  await migrate(database.db)
  expect(await read(database)).toEqual(today)
})
