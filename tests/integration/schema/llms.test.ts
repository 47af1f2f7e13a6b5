import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { refusal } from './refusal.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase('today')
})
afterEach(() => database.sql`delete from public.llms`)
afterAll(() => database.drop())

const model = {
  model_code: 'provider/model-1',
  provider: 'provider',
  display_name: 'Model 1',
  status: 'active',
}

function insert(columns: Record<string, unknown> = {}) {
  const { sql } = database
  return sql`insert into public.llms ${sql({ ...model, ...columns })} returning *`
}

test('a model has an id, an empty config and two equal times unless it says otherwise', async () => {
  const [row] = await insert()
  expect(row).toEqual({
    ...model,
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    config: {},
    created_at: expect.any(String),
    updated_at: row?.created_at,
  })
})

test('two models of one code are refused', async () => {
  await insert()
  expect(await refusal(insert({ provider: 'another' }))).toEqual({
    code: '23505',
    constraint: 'uq_llms_model_code',
  })
  expect(await refusal(insert({ model_code: 'PROVIDER/model-1' }))).toBeUndefined()
})

test('two models of one id are refused', async () => {
  const [row] = await insert()
  expect(await refusal(insert({ id: row?.id, model_code: 'another' }))).toEqual({
    code: '23505',
    constraint: 'llms_pkey',
  })
})

test.each(['id', 'model_code', 'provider', 'display_name', 'config', 'status', 'created_at', 'updated_at'])(
  '%s is never null',
  async column => {
    expect(await refusal(insert({ [column]: null }))).toMatchObject({ code: '23502' })
  },
)

test.each([
  ['model_code', 100],
  ['provider', 50],
  ['display_name', 100],
  ['status', 20],
])('%s holds %i characters and no more', async (column, length) => {
  expect(await refusal(insert({ [column]: 'ü'.repeat(length) }))).toBeUndefined()
  expect(await refusal(insert({ [column]: 'ü'.repeat(length + 1) }))).toMatchObject({ code: '22001' })
})

test.each(['', 'preview', 'ACTIVE'])('the state %j is allowed: the set is open', async status => {
  expect(await refusal(insert({ status }))).toBeUndefined()
})
