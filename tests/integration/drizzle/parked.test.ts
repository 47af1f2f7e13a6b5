import { beforeEach, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { addCatalog } from '../../support/rows.ts'

let database: TestDatabase

/** A database at the baseline, with an agent of a type that the old schema does not know waiting in archive. */
beforeEach(async () => {
  database = await ownDatabase('today')
  await database.admin`
    insert into public.llms (id, model_code, provider, display_name, status)
    values (md5('model 0')::uuid, 'model-0', 'provider', 'Model 0', 'active')`
  await database.admin`
    insert into public.system_agents (agent_type, llm_id, config, status)
    values ('PLANNING', md5('model 0')::uuid, '{"version": "first"}', 'active')`
  await rollback(database.db, { to: baseline })
  expect(await database.admin`select agent_type from archive.system_agents`).toEqual([
    { agent_type: 'PLANNING' },
  ])
})

const versions = async (table: string) =>
  (
    await database.admin`select config ->> 'version' as version from ${database.admin(table)} where agent_type = 'PLANNING'`
  ).map(({ version }) => version)

test('an agent that waits in archive stops no sign-up, and gives none', async () => {
  await addCatalog(database.admin)
  const user = await signUp(database.admin)
  expect(await database.admin`select from public.user_agents where user_id = ${user}`).toHaveLength(3)
})

test('one of the same type that is made meanwhile takes its place, up and down and up again', async () => {
  await database.admin`
    insert into public.user_agent_catalog (agent_type, llm_id, config, status)
    values ('PLANNING', md5('model 0')::uuid, '{"version": "second"}', 'active')`
  await migrate(database.db)
  expect(await versions('public.system_agents')).toEqual(['second'])
  await rollback(database.db, { to: baseline })
  await migrate(database.db)
  expect(await versions('public.system_agents')).toEqual(['second'])
})

test('the way back goes on to the very beginning, and leaves nothing', async () => {
  await rollback(database.db, { to: 'create_the_agent_tables' })
  await rollback(database.db)
  expect(await readCatalog(database.admin, { archive: true })).toEqual([])
})
