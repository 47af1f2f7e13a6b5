import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { agentsForUser, type Database } from '../../../src/index.ts'
import { defaultSeedFiles, seed } from '../../../src/seed.ts'
import { sharedDatabase, signUp, undone } from '../../support/database.ts'
import { connect } from '../../support/templates.ts'

let user: string
const database = sharedDatabase('today', async ({ admin, db }) => {
  await seed(db, defaultSeedFiles())
  user = await signUp(admin)
})

const prompts = async (id: string, db: Database = database.db) =>
  Object.fromEntries((await agentsForUser(db, id)).map(a => [a.agentType, a.config.prompt]))

const settle = (settings: object) =>
  database.sql`update public.profiles set settings = ${JSON.stringify(settings)}::text::jsonb where id = ${user}`

test('gives every active agent with its model, and leaves inactive ones out', async () => {
  await database.sql`update public.system_agents set status = 'inactive' where agent_type = 'RESULT_REPORTING'`
  const agents = await agentsForUser(database.db, user)
  expect(agents.map(agent => agent.agentType)).toEqual(['INTENT_RECOGNITION', 'TASK_EXECUTION'])
  expect(agents.map(agent => agent.llm.provider)).toEqual(['anthropic', 'anthropic'])
  expect(agents.every(agent => typeof agent.config.prompt === 'string' && !agent.customized)).toBe(true)
})

test("lays the user's own prompt over the agent's, for that user alone", async () => {
  const other = await signUp(database.admin)
  await settle({ agent_prompts: { TASK_EXECUTION: 'Be brief.', INTENT_RECOGNITION: ' \u00a0\n' } })
  const [mine, theirs] = [await prompts(user), await prompts(other)]
  expect(mine.TASK_EXECUTION).toBe('Be brief.')
  expect(theirs.TASK_EXECUTION).not.toBe('Be brief.')
  expect(mine.INTENT_RECOGNITION).toBe(theirs.INTENT_RECOGNITION)
})

test('keeps the rest of the configuration and says which agents the user changed', async () => {
  await settle({ agent_prompts: { TASK_EXECUTION: 'Mine.' } })
  const other = await agentsForUser(database.db, await signUp(database.admin))
  const mine = await agentsForUser(database.db, user)
  expect(mine).toEqual(
    other.map(agent =>
      agent.agentType === 'TASK_EXECUTION'
        ? { ...agent, config: { ...agent.config, prompt: 'Mine.' }, customized: true }
        : agent,
    ),
  )
  expect(Object.keys(mine[1]?.config ?? {}).length).toBeGreaterThan(1)
})

test.each(['{"a": 1}', '"quoted"', '123', 'null', 'true', '[]', ' padded\n', 'ünïcödé 😀'])(
  'takes the prompt %j for the text it is, and for no JSON',
  async prompt => {
    await settle({ agent_prompts: { TASK_EXECUTION: prompt } })
    expect((await prompts(user)).TASK_EXECUTION).toBe(prompt)
  },
)

test.each([[null], [7], [{ text: 'x' }], [['x']], [true]])(
  'lets what is no text be no prompt: %j',
  async value => {
    await settle({ agent_prompts: { TASK_EXECUTION: value } })
    const agents = await agentsForUser(database.db, user)
    expect(agents.map(agent => agent.customized)).toEqual([false, false])
  },
)

test('serves a user who has no profile', async () => {
  expect(await agentsForUser(database.db, '00000000-0000-0000-0000-000000000000')).toHaveLength(2)
})

test('refuses what is no user id, with the reason of the database', async () => {
  await expect(agentsForUser(database.db, 'me')).rejects.toMatchObject({ cause: { code: '22P02' } })
})

test('works within a transaction, and sees what that has done', async () => {
  await undone(database.db, async tx => {
    await tx.execute(`update system_agents set config = '{"prompt": "Tonight."}'`)
    await settle({ agent_prompts: {} })
    expect((await prompts(user, tx)).TASK_EXECUTION).toBe('Tonight.')
  })
})

test('asks one query: one statement through Drizzle, one through the driver', async () => {
  const queries: string[] = []
  const statements: string[] = []
  const client = connect(database.url, { debug: (_, statement) => statements.push(statement) })
  const logged = drizzle({ client, logger: { logQuery: query => queries.push(query) } })
  try {
    // The driver asks once for the types of the server when it connects.
    await client`select 1`
    statements.length = 0
    await agentsForUser(logged, user)
  } finally {
    await client.end()
  }
  expect(queries).toHaveLength(1)
  expect(statements).toEqual(queries)
})

test.each([
  [
    String.raw`"{\"prompt\": \"I was stored as a string.\", \"top_p\": 1}"`,
    { prompt: 'I was stored as a string.', top_p: 1 },
  ],
  ['"no object"', {}],
  ['[1]', {}],
  ['null', {}],
])('a configuration of %s is %j', async (stored, config) => {
  await database.sql`update public.system_agents set config = ${stored}::text::jsonb where agent_type = 'TASK_EXECUTION'`
  const agents = await agentsForUser(database.db, await signUp(database.admin))
  expect(agents.find(({ agentType }) => agentType === 'TASK_EXECUTION')?.config).toEqual(config)
})

test.each([
  [true, 1],
  [false, 0],
])(
  'over a pool with prepare: %s the server has kept %i plan of it, however often it was asked',
  async (prepare, kept) => {
    const sql = connect(database.url, { max: 1, prepare })
    const db = drizzle({ client: sql })
    const asked = [await agentsForUser(db, user), await agentsForUser(db, user)]
    expect(asked[1]).toEqual(asked[0])
    const plans =
      await sql`select from pg_prepared_statements where statement like '%system_agents%' and statement not like '%pg_prepared%'`
    expect(plans).toHaveLength(kept)
    await sql.end()
  },
)
