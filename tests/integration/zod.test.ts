import { eq } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  type Llm,
  llms,
  type Memory,
  memories,
  type NewLlm,
  type NewMemory,
  type NewProfile,
  type NewSystemAgent,
  type Profile,
  profiles,
  type SystemAgent,
  systemAgents,
} from '../../src/index.ts'
import * as validators from '../../src/zod.ts'
import { createDatabase, signUp, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase('today')
})
afterAll(() => database.drop())

const llm = { modelCode: 'm', provider: 'p', displayName: 'M', status: 'active' }

/** Where a validator sees mistakes: paths with what is wrong there; none where it sees none. */
const mistakes = (validator: z.ZodType, value: unknown) =>
  validator.safeParse(value).error?.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`) ?? []

describe('types', () => {
  test('a validated row has the type of the row', () => {
    expectTypeOf<z.output<typeof validators.selectLlm>>().toEqualTypeOf<Llm>()
    expectTypeOf<z.output<typeof validators.selectMemory>>().toEqualTypeOf<Memory>()
    expectTypeOf<z.output<typeof validators.selectProfile>>().toEqualTypeOf<Profile>()
    expectTypeOf<z.output<typeof validators.selectSystemAgent>>().toEqualTypeOf<SystemAgent>()
  })

  test('what is to be inserted has the type that the table inserts', () => {
    expectTypeOf<z.output<typeof validators.insertLlm>>().toEqualTypeOf<NewLlm>()
    expectTypeOf<z.output<typeof validators.insertMemory>>().toEqualTypeOf<NewMemory>()
    expectTypeOf<z.output<typeof validators.insertProfile>>().toEqualTypeOf<NewProfile>()
    expectTypeOf<z.output<typeof validators.insertSystemAgent>>().toEqualTypeOf<NewSystemAgent>()
    expectTypeOf<z.input<typeof validators.insertProfile>>().toEqualTypeOf<NewProfile>()
  })

  test('what is to be changed has the type that the table sets', () => {
    const { db } = database
    type Set<T extends { set: (...values: never[]) => unknown }> = Parameters<T['set']>[0]
    const sets = () =>
      [db.update(llms), db.update(memories), db.update(profiles), db.update(systemAgents)] as const
    type Sets = ReturnType<typeof sets>
    expectTypeOf<z.output<typeof validators.updateLlm>>().toExtend<Set<Sets[0]>>()
    expectTypeOf<z.output<typeof validators.updateMemory>>().toExtend<Set<Sets[1]>>()
    expectTypeOf<z.output<typeof validators.updateProfile>>().toExtend<Set<Sets[2]>>()
    expectTypeOf<z.output<typeof validators.updateSystemAgent>>().toExtend<Set<Sets[3]>>()
    expectTypeOf<z.output<typeof validators.updateLlm>>().toEqualTypeOf<Optional<Llm>>()
    expectTypeOf<z.output<typeof validators.updateProfile>>().toEqualTypeOf<Optional<Profile>>()
  })
})
type Optional<T> = { [K in keyof T]?: T[K] | undefined }

describe('config', () => {
  const config = (value: unknown) => mistakes(validators.insertLlm, { ...llm, config: value })

  test('is an object of JSON values, or is left to the default', () => {
    expect(config({ a: [null, true, 1.5, 'text', { b: {} }] })).toEqual([])
    expect(config(undefined)).toEqual([])
    expect(mistakes(validators.updateSystemAgent, {})).toEqual([])
    expect(mistakes(validators.updateSystemAgent, { config: {} })).toEqual([])
  })

  test.each([[null], [[]], ['text'], [1], [new Date(0)], [new Map()]])('is refused where it is %j', value => {
    expect(config(value)).toEqual(['config: must be an object'])
    expect(mistakes(validators.updateSystemAgent, { config: value })).toEqual(['config: must be an object'])
  })

  test('has to be there in a row', () => {
    const row = {
      ...llm,
      id: '00000000-0000-0000-0000-00000000000a',
      createdAt: new Date(),
      updatedAt: new Date(),
    }
    expect(mistakes(validators.selectLlm, row)).toEqual(['config: must be an object'])
    expect(mistakes(validators.selectLlm, { ...row, config: {} })).toEqual([])
  })

  test.each([
    ['a date', new Date(0)],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['not a number', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
  ])('is refused, with the place, where a value is %s', (_, value) => {
    expect(config({ list: [1, { deep: value }] })).toEqual(['config.list.1.deep: is not a JSON value'])
  })

  test('is refused where it holds text that PostgreSQL cannot store', () => {
    expect(config({ a: 'x\0' })).toEqual([
      'config.a: holds a NUL or half of a surrogate pair, which PostgreSQL cannot store',
    ])
    expect(config({ a: { '\ud800': 1 } })).toEqual([
      'config.a.\ud800: the key holds a NUL or half of a surrogate pair, which PostgreSQL cannot store',
    ])
  })

  test('is refused where it contains itself', () => {
    const knot: Record<string, unknown> = {}
    knot.left = knot.right = knot
    expect(validators.insertLlm.safeParse({ ...llm, config: knot }).error?.issues).toMatchObject([
      { message: 'is nested more than 1000 deep' },
    ])
  })

  test('keeps every key, whatever its name', () => {
    const value = JSON.parse('{"__proto__": {"constructor": 1}}')
    expect(JSON.stringify(validators.insertLlm.parse({ ...llm, config: value }).config)).toBe(
      JSON.stringify(value),
    )
  })
})

describe('settings', () => {
  const settings = (value: unknown) => mistakes(validators.updateProfile, { settings: value })

  test('hold prompts by agent type, of which there may be new ones, and whatever else', () => {
    expect(settings({ agent_prompts: {} })).toEqual([])
    expect(
      settings({ agent_prompts: { TASK_EXECUTION: 'Be brief.', MINE: '' }, theme: { dark: true } }),
    ).toEqual([])
    // Twenty characters, which are forty for JavaScript.
    expect(settings({ agent_prompts: { ['😀'.repeat(20)]: '' } })).toEqual([])
  })

  test.each([
    [null, 'settings: must be an object'],
    [[], 'settings: must be an object'],
    [{}, 'settings.agent_prompts: must be an object'],
    [{ agent_prompts: null }, 'settings.agent_prompts: must be an object'],
    [{ agent_prompts: ['x'] }, 'settings.agent_prompts: must be an object'],
    [{ agent_prompts: { TASK_EXECUTION: 1 } }, 'settings.agent_prompts.TASK_EXECUTION: must be a string'],
    [{ agent_prompts: { TASK_EXECUTION: null } }, 'settings.agent_prompts.TASK_EXECUTION: must be a string'],
    [
      { agent_prompts: { AN_AGENT_TYPE_TOO_LONG: '' } },
      'settings.agent_prompts.AN_AGENT_TYPE_TOO_LONG: the agent type is longer than 20 characters',
    ],
    [{ agent_prompts: {}, at: new Date(0) }, 'settings.at: is not a JSON value'],
  ])('are refused where they are %j', (value, mistake) => {
    expect(settings(value)).toEqual([mistake])
  })

  test('are refused with every prompt that is wrong', () => {
    expect(settings({ agent_prompts: { A: 1, B: 'right', C: [] } })).toHaveLength(2)
  })
})

test('describe themselves as JSON Schema, as far as it has a word', () => {
  const schema = z.toJSONSchema(validators.insertSystemAgent.omit({ createdAt: true, updatedAt: true }))
  expect(schema.properties).toMatchObject({ agentType: { maxLength: 20 }, config: { type: 'object' } })
  expect(schema.required).toEqual(['agentType', 'llmId', 'status'])
  const profile = z.toJSONSchema(validators.updateProfile.pick({ settings: true }))
  expect(profile.properties?.settings).toMatchObject({ type: 'object', required: ['agent_prompts'] })
})

// Text of whatever kind: half characters, NUL and emoji too.
const text = (maxLength: number) =>
  fc.oneof(
    fc.string({ maxLength, unit: 'binary' }),
    fc.string({ maxLength, unit: fc.constantFrom('a', '😀', '\0', '\ud800', 'ß') }),
  )
const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 })

test('what passes to be inserted comes back as it was, and passes as a row', async () => {
  let passed = 0
  const value = fc.record({
    modelCode: text(110),
    provider: text(60),
    displayName: text(110),
    status: text(25),
    config: fc.dictionary(fc.string({ unit: 'binary' }), json),
  })
  await fc.assert(
    fc.asyncProperty(value, async row => {
      if (!validators.insertLlm.safeParse(row).success) return
      passed += 1
      const [stored] = await database.db.insert(llms).values(validators.insertLlm.parse(row)).returning()
      expect(validators.selectLlm.parse(stored)).toEqual(stored)
      // JSON knows no -0.
      expect(stored).toMatchObject(JSON.parse(JSON.stringify(row)))
      await database.db.delete(llms)
    }),
    { numRuns: 300 },
  )
  expect(passed).toBeGreaterThan(30)
})

test('what is refused as text is what PostgreSQL refuses, or changes', async () => {
  await fc.assert(
    fc.asyncProperty(text(110), async displayName => {
      const passes = validators.insertLlm.safeParse({ ...llm, displayName }).success
      const stored = await database.db
        .insert(llms)
        .values({ ...llm, displayName })
        .returning()
        .then(
          ([row]) => row?.displayName,
          () => undefined,
        )
      await database.db.delete(llms)
      expect(passes).toBe(stored === displayName)
    }),
    { numRuns: 100 },
  )
})

test('rows pass that the database has made: by a sign-up, by default, with any UUID', async () => {
  const id = await signUp(database.admin, { id: '11111111-1111-1111-1111-111111111111' })
  const [profile] = await database.db.select().from(profiles).where(eq(profiles.id, id))
  expect(validators.selectProfile.parse(profile)).toEqual(profile)

  const [model] = await database.db.insert(llms).values(llm).returning()
  const agent = { agentType: 'T', llmId: model!.id, status: 'active' as const }
  const [stored] = await database.db
    .insert(systemAgents)
    .values(validators.insertSystemAgent.parse(agent))
    .returning()
  expect(validators.selectSystemAgent.parse(stored)).toEqual(stored)

  const memory = validators.insertMemory.parse({ userId: id, memoryType: 'work', content: '', status: '' })
  const [remembered] = await database.db.insert(memories).values(memory).returning()
  expect(validators.selectMemory.parse(remembered)).toEqual(remembered)
})

test('what the checks of the tables refuse, the validators refuse', async () => {
  expect(mistakes(validators.insertMemory.pick({ memoryType: true }), { memoryType: 'other' })).toHaveLength(
    1,
  )
  expect(mistakes(validators.updateSystemAgent, { status: 'retired' })).toHaveLength(1)
})
