import type { PgTable, PgUpdateSetSource } from 'drizzle-orm/pg-core'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type * as tables from '../../src/index.ts'
import * as validators from '../../src/zod.ts'

const llm = { modelCode: 'm', provider: 'p', displayName: 'M', status: 'active' }

/** Where a validator sees mistakes: paths with what is wrong there; none where it sees none. */
const mistakes = (validator: z.ZodType, value: unknown) =>
  validator.safeParse(value).error?.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`) ?? []

test('a validator gives the type of a row, of what the table inserts, and of what it sets', () => {
  type Output<T extends keyof typeof validators> = z.output<(typeof validators)[T]>
  expectTypeOf<Output<'selectLlm'>>().toEqualTypeOf<tables.Llm>()
  expectTypeOf<Output<'selectMemory'>>().toEqualTypeOf<tables.Memory>()
  expectTypeOf<Output<'selectProfile'>>().toEqualTypeOf<tables.Profile>()
  expectTypeOf<Output<'selectSystemAgent'>>().toEqualTypeOf<tables.SystemAgent>()

  expectTypeOf<Output<'insertLlm'>>().toEqualTypeOf<tables.NewLlm>()
  expectTypeOf<Output<'insertMemory'>>().toEqualTypeOf<tables.NewMemory>()
  expectTypeOf<Output<'insertProfile'>>().toEqualTypeOf<tables.NewProfile>()
  expectTypeOf<Output<'insertSystemAgent'>>().toEqualTypeOf<tables.NewSystemAgent>()
  expectTypeOf<z.input<typeof validators.insertProfile>>().toEqualTypeOf<tables.NewProfile>()

  type Set<T extends PgTable> = PgUpdateSetSource<T>
  expectTypeOf<Output<'updateLlm'>>().toExtend<Set<typeof tables.llms>>()
  expectTypeOf<Output<'updateMemory'>>().toExtend<Set<typeof tables.memories>>()
  expectTypeOf<Output<'updateProfile'>>().toExtend<Set<typeof tables.profiles>>()
  expectTypeOf<Output<'updateSystemAgent'>>().toExtend<Set<typeof tables.systemAgents>>()
  type Optional<T> = { [K in keyof T]?: T[K] | undefined }
  type Kept = 'id' | 'createdAt' | 'updatedAt'
  expectTypeOf<Output<'updateLlm'>>().toEqualTypeOf<Optional<Omit<tables.Llm, Kept>>>()
  expectTypeOf<Output<'updateMemory'>>().toEqualTypeOf<Optional<Omit<tables.Memory, Kept | 'userId'>>>()
  expectTypeOf<Output<'updateProfile'>>().toEqualTypeOf<Optional<Omit<tables.Profile, Kept | 'settings'>>>()
})

describe('config', () => {
  const config = (value: unknown) => mistakes(validators.insertLlm, { ...llm, config: value })

  test('is an object of JSON values, or is left to the default', () => {
    expect(config({ a: [null, true, 1.5, 'text', { b: {} }] })).toEqual([])
    expect(config(undefined)).toEqual([])
    expect(mistakes(validators.updateSystemAgent, { config: {} })).toEqual([])
  })

  test.each([[null], [[]], ['text'], [1], [new Date(0)], [new Map()]])('is refused where it is %j', value => {
    expect(config(value)).toEqual(['config: must be an object'])
    expect(mistakes(validators.updateSystemAgent, { config: value })).toEqual(['config: must be an object'])
  })

  test('has known keys with types where it is written, and any others', () => {
    const wrong = { prompt: ' ', temperature: 3, max_tokens: '1024', mine: 'x' }
    const found = [
      'prompt: must not be blank, and is " "',
      'temperature: must be from 0 to 2, and is 3',
      'max_tokens: must be a whole number, and is "1024"',
    ]
    expect(mistakes(validators.updateSystemAgent, { config: wrong })).toEqual(
      found.map(text => `config.${text}`),
    )
    expect(mistakes(validators.updateSystemAgent, { config: { prompt: 'p', mine: [1] } })).toEqual([])
    expect(config({ tools: 'yes', context_window: 1000 })).toEqual([
      'config.tools: must be true or false, and is "yes"',
    ])
    expectTypeOf<tables.SystemAgent['config']['prompt']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<tables.Llm['config']['context_window']>().toEqualTypeOf<number | undefined>()
  })

  test('has to be there in a row', () => {
    const id = '00000000-0000-0000-0000-00000000000a'
    const row = { ...llm, id, createdAt: new Date(), updatedAt: new Date() }
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

  test('is refused where it holds text that PostgreSQL cannot store, or contains itself', () => {
    const character = 'holds a NUL or half of a surrogate pair, which PostgreSQL cannot store'
    expect(config({ a: 'x\0' })).toEqual([`config.a: ${character}`])
    expect(config({ a: { '\ud800': 1 } })).toEqual([`config.a.\ud800: the key ${character}`])
    const knot: Record<string, unknown> = {}
    knot.left = knot.right = knot
    expect(config(knot)).toEqual([expect.stringMatching(/: is nested more than 1000 deep$/)])
  })

  test('keeps every key, whatever its name', () => {
    const value = JSON.parse('{"__proto__": {"constructor": 1}}')
    const parsed = validators.insertLlm.parse({ ...llm, config: value })
    expect(JSON.stringify(parsed.config)).toBe(JSON.stringify(value))
  })
})

describe('settings', () => {
  const id = '00000000-0000-0000-0000-00000000000a'
  const settings = (value: unknown) => mistakes(validators.insertProfile, { id, settings: value })

  test.each([
    [{ agent_prompts: {} }],
    [{ agent_prompts: { TASK_EXECUTION: 'Be brief.', MINE: '' }, theme: { dark: true } }],
    // Twenty characters, which are forty for JavaScript.
    [{ agent_prompts: { ['😀'.repeat(20)]: '' } }],
  ])('hold prompts by agent type, of which there may be new ones, and whatever else: %j', value => {
    expect(settings(value)).toEqual([])
  })

  test.each([
    [null, 'settings: must be an object'],
    [[], 'settings: must be an object'],
    [{}, 'settings.agent_prompts: must be an object'],
    [{ agent_prompts: null }, 'settings.agent_prompts: must be an object'],
    [{ agent_prompts: ['x'] }, 'settings.agent_prompts: must be an object'],
    [{ agent_prompts: { TASK: 1 } }, 'settings.agent_prompts.TASK: must be a string'],
    [{ agent_prompts: { TASK: null } }, 'settings.agent_prompts.TASK: must be a string'],
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

test('validators describe themselves as JSON Schema, as far as it has a word', () => {
  const schema = z.toJSONSchema(validators.insertSystemAgent.omit({ createdAt: true, updatedAt: true }))
  expect(schema.properties).toMatchObject({ agentType: { maxLength: 20 }, config: { type: 'object' } })
  expect(schema.required).toEqual(['agentType', 'llmId', 'status'])
  const profile = z.toJSONSchema(validators.insertProfile.pick({ settings: true }))
  expect(profile.properties?.settings).toMatchObject({ type: 'object', required: ['agent_prompts'] })
})

test('what the checks of the tables refuse, the validators refuse', () => {
  const { insertMemory, updateSystemAgent } = validators
  expect(mistakes(insertMemory.pick({ memoryType: true }), { memoryType: 'other' })).toHaveLength(1)
  expect(mistakes(updateSystemAgent, { status: 'retired' })).toHaveLength(1)
})

test('what a client sends changes what is its own to change, and something', () => {
  const { insertMemory, updateLlm, updateMemory, updateProfile, updateSystemAgent } = validators
  expect(updateProfile.parse({ username: 'ada', bio: null })).toEqual({ username: 'ada', bio: null })
  for (const key of ['id', 'createdAt', 'updatedAt', 'settings', 'role'])
    expect(mistakes(updateProfile, { username: 'ada', [key]: {} })).toEqual([`: Unrecognized key: "${key}"`])
  expect(mistakes(updateMemory, { userId: '00000000-0000-0000-0000-00000000000a' })).not.toEqual([])
  for (const validator of [updateLlm, updateMemory, updateProfile, updateSystemAgent])
    expect(mistakes(validator, {})).toEqual([': has nothing to change'])
  const memory = { userId: '00000000-0000-0000-0000-00000000000a', memoryType: 'user' }
  expect(mistakes(insertMemory, { ...memory, content: ' ', status: '' })).toEqual([
    'content: must not be blank',
    'status: must not be blank',
  ])
})
