import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { databaseForEach, signUp } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { addAgentOfNewType, addCatalog } from '../../support/rows.ts'

/** At the baseline, with an agent of a type that the old schema does not know waiting in archive. */
const at = databaseForEach('today', async ({ admin, db }) => {
  await addAgentOfNewType(admin)
  await rollback(db, { to: baseline })
  expect(await admin`select agent_type from archive.system_agents`).toEqual([{ agent_type: 'PLANNING' }])
})

test('an agent that waits in archive does not prevent a sign-up, and nobody is given it', async () => {
  await addCatalog(at.admin)
  const user = await signUp(at.admin)
  expect(await at.admin`select from public.user_agents where user_id = ${user}`).toHaveLength(3)
})

test('one of the same type that is made meanwhile takes its place, up and down and up again', async () => {
  const planning = () =>
    at.admin`select config ->> 'version' as version from public.system_agents where agent_type = 'PLANNING'`
  await at.admin`
    insert into public.user_agent_catalog (agent_type, llm_id, config, status)
    select 'PLANNING', id, '{"version": "second"}', 'active' from public.llms`
  await migrate(at.db)
  expect(await planning()).toEqual([{ version: 'second' }])
  await rollback(at.db, { to: baseline })
  await migrate(at.db)
  expect(await planning()).toEqual([{ version: 'second' }])
})

test('the way back goes on to the very beginning, and leaves nothing', async () => {
  await rollback(at.db, { to: 'create_agent_tables' })
  await rollback(at.db)
  expect((await readCatalog(at.admin)).filter(fact => !fact.startsWith('schema public'))).toEqual([])
})
