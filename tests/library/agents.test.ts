import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentsForUser } from '../../src/index.ts'
import { defaultSeedFiles, seed } from '../../src/seed/index.ts'
import { createDatabase, signUp, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let user: string

beforeAll(async () => {
  database = await createDatabase('today')
  await seed(database.db, defaultSeedFiles())
  user = await signUp(database.admin)
})
afterAll(() => database.drop())

test('gives every active agent with its model, and leaves inactive ones out', async () => {
  await database.sql`update public.system_agents set status = 'inactive' where agent_type = 'RESULT_REPORTING'`
  const agents = await agentsForUser(database.db, user)
  expect(agents.map(agent => agent.agentType)).toEqual(['INTENT_RECOGNITION', 'TASK_EXECUTION'])
  expect(agents.map(agent => agent.llm.provider)).toEqual(['anthropic', 'anthropic'])
  expect(agents.every(agent => typeof agent.config.prompt === 'string' && !agent.customized)).toBe(true)
})

test("lays the user's own prompt over the agent's, for that user alone", async () => {
  const other = await signUp(database.admin)
  await database.sql`update public.profiles
                        set settings = '{"agent_prompts": {"TASK_EXECUTION": "Be brief.", "INTENT_RECOGNITION": " "}}'
                      where id = ${user}`
  const prompts = async (id: string) =>
    Object.fromEntries((await agentsForUser(database.db, id)).map(a => [a.agentType, a.config.prompt]))
  const [mine, theirs] = [await prompts(user), await prompts(other)]
  expect(mine.TASK_EXECUTION).toBe('Be brief.')
  expect(theirs.TASK_EXECUTION).not.toBe('Be brief.')
  expect(mine.INTENT_RECOGNITION).toBe(theirs.INTENT_RECOGNITION)
})

test('serves a user who has no profile', async () => {
  expect(await agentsForUser(database.db, '00000000-0000-0000-0000-000000000000')).toHaveLength(2)
})

test('asks one query', async () => {
  const queries: string[] = []
  const logged = drizzle({ client: database.sql, logger: { logQuery: query => queries.push(query) } })
  await agentsForUser(logged, user)
  expect(queries).toHaveLength(1)
})
