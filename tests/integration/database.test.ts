import { afterAll, expect, expectTypeOf, test } from 'vitest'
import { type Llm, type Memory, createDatabase as openDatabase } from '../../src/index.ts'
import { defaultSeedFiles, seed } from '../../src/seed.ts'
import { sharedDatabase, signUp } from '../support/database.ts'

let db: ReturnType<typeof openDatabase>
const database = sharedDatabase('today', async ({ url }) => {
  db = openDatabase(url, { max: 2 })
  await seed(db, defaultSeedFiles())
})
afterAll(() => db.$client.end())

test('follows an agent to its model, which is never null', async () => {
  const agents = await db.query.systemAgents.findMany({ with: { llm: true }, orderBy: { agentType: 'asc' } })
  expectTypeOf(agents[0]!.llm).toEqualTypeOf<Llm>()
  expect(agents.map(({ agentType, llm }) => [agentType, llm.modelCode])).toEqual([
    ['INTENT_RECOGNITION', 'claude-haiku-4-5'],
    ['RESULT_REPORTING', 'gemini-2.5-flash'],
    ['TASK_EXECUTION', 'claude-sonnet-4-5'],
  ])
})

test('follows a model to the agents that use it', async () => {
  const models = await db.query.llms.findMany({
    columns: { modelCode: true },
    where: { systemAgents: true },
    with: { systemAgents: { columns: { agentType: true } } },
    orderBy: { modelCode: 'asc' },
  })
  expect(models).toEqual([
    { modelCode: 'claude-haiku-4-5', systemAgents: [{ agentType: 'INTENT_RECOGNITION' }] },
    { modelCode: 'claude-sonnet-4-5', systemAgents: [{ agentType: 'TASK_EXECUTION' }] },
    { modelCode: 'gemini-2.5-flash', systemAgents: [{ agentType: 'RESULT_REPORTING' }] },
  ])
})

test("follows a profile to its user's memories and back, and to nobody else's", async () => {
  const [user, other] = [await signUp(database.admin), await signUp(database.admin)]
  await database.sql`insert into public.memories (user_id, memory_type, content, status)
                     values (${user}, 'user', 'mine', 'active'), (${other}, 'user', 'theirs', 'active')`
  const profile = await db.query.profiles.findFirst({ where: { id: user }, with: { memories: true } })
  expectTypeOf(profile!.memories).toEqualTypeOf<Memory[]>()
  expect(profile?.memories.map(memory => memory.content)).toEqual(['mine'])

  const memory = await db.query.memories.findFirst({ where: { userId: other }, with: { profile: true } })
  expect(memory?.profile?.id).toBe(other)
})

test('gives a memory without a profile where its user has none', async () => {
  const user = await signUp(database.admin)
  await database.sql`delete from public.profiles where id = ${user}`
  await database.sql`insert into public.memories (user_id, memory_type, content, status) values (${user}, 'user', '', '')`
  expect(
    await db.query.memories.findFirst({ where: { userId: user }, with: { profile: true } }),
  ).toMatchObject({
    profile: null,
  })
})

test.each([undefined, ''])('says what is missing where the URL is %j', url => {
  expect(() => openDatabase(url)).toThrow(
    new TypeError('createDatabase: the URL is empty. Is DATABASE_URL set?'),
  )
})

test.each(['secret', 'mysql://me:secret@host/db', 'postgresql://me:secret@ho st/db'])(
  'refuses %s without repeating it',
  url => {
    const refused = (() => {
      try {
        return openDatabase(url)
      } catch (error) {
        return error
      }
    })()
    expect(refused).toBeInstanceOf(TypeError)
    expect(JSON.stringify(refused, Object.getOwnPropertyNames(refused))).not.toContain('secret@')
    expect((refused as Error).message).toMatch(/not a URL of the form postgresql:/)
  },
)

test('connects to nothing before the first statement', async () => {
  const idle = openDatabase('postgresql://nobody@127.0.0.1:1/nowhere')
  await idle.$client.end()
})
