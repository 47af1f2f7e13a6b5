import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog, type State, stateOf } from '../../support/catalog.ts'
import { ownDatabase, sharedDatabase } from '../../support/database.ts'
import { baseline, migrationsSince } from '../../support/migrations.ts'
import { fill, ODD_SETTINGS } from '../../support/rows.ts'

const schemas = ['public', 'auth']
let atFirst: State
let today: State

const database = sharedDatabase('baseline', async at => {
  await fill(at.admin, { users: 1000, memories: 5000 })
  atFirst = await stateOf(at, schemas)
  await migrate(at.db)
  today = await stateOf(at, schemas)
})

test('begins with every kind of row that years of use leave behind', async () => {
  const [agents] = await database.admin`
    select count(*)::int                                                           as all,
           least(count(*) filter (where created_by is null), 100)::int             as without_creator,
           least(count(*) filter (where created_by <> user_id), 100)::int          as made_by_another,
           least(count(*) filter (where deleted_at is not null), 100)::int         as deleted,
           least(count(*) filter (where llm_id <> md5('model 1')::uuid), 100)::int as with_another_model,
           count(distinct user_id) < 1000                                          as some_without
      from archive.user_agents`
  expect(agents).toEqual({
    all: atFirst.rows['public.user_agents']!.length,
    without_creator: 100,
    made_by_another: 100,
    deleted: 100,
    with_another_model: 100,
    some_without: true,
  })
  const memories = await database.admin`
    select count(*) filter (where a.user_id = m.user_id) > 1000 as of_the_owner,
           count(*) filter (where a.user_id <> m.user_id) > 100 as of_another,
           count(*)::int as work
      from archive.memory_agents k
      join public.memories m on m.id = k.memory_id
      join archive.user_agents a on a.id = k.agent_id`
  expect(memories).toEqual([{ of_the_owner: true, of_another: true, work: 2500 }])
})

test('the way up ends in the schema of an empty database, and in settings with agent_prompts alone', async () => {
  const empty = await ownDatabase('today')
  expect(today.catalog).toEqual(await readCatalog(empty.admin))
  const settings = await database.admin`select distinct settings::text as text from public.profiles`
  const exponent = `1${'0'.repeat(400)}`
  expect(settings.map(({ text }) => text).sort()).toEqual(
    [
      '{"agent_prompts": {}}',
      '{"theme": 1.0, "agent_prompts": {}}',
      '{"theme": "dark", "agent_prompts": {}}',
      '{"agent_prompts": {"TASK_EXECUTION": "x"}}',
      '{"agent_prompts": {"TASK_EXECUTION": "mine"}}',
      `{"nested": {"agent_prompts": {"deep": [null, {"é\u2028😀": ${exponent}}]}}, "agent_prompts": {}}`,
    ].sort(),
  )
})

test('the way down restores every row byte for byte, and the schema, and leaves no archive', async () => {
  const { undone } = await rollback(database.db, { to: baseline })
  expect(undone).toHaveLength(migrationsSince.length)
  expect(await stateOf(database, schemas)).toEqual(atFirst)
  expect(await database.admin`select to_regnamespace('archive') as archive`).toEqual([{ archive: null }])
  const settings = await database.admin`select distinct settings::text from public.profiles`
  expect(settings).toHaveLength(ODD_SETTINGS.length)
})

test('up again has the rows and the schema of the first time', async () => {
  await migrate(database.db)
  expect(await stateOf(database, schemas)).toEqual(today)
})
