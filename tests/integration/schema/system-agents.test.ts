import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { agentTypes, systemAgentStatuses } from '../../../src/schema.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { refusal, restricted } from './refusal.ts'

let database: TestDatabase
let llm: string
beforeAll(async () => {
  database = await createDatabase('today')
  const [row] = await database.sql`
    insert into public.llms (model_code, provider, display_name, status)
    values ('model', 'provider', 'Model', 'active')
    returning id`
  llm = row?.id
})
afterEach(() => database.sql`delete from public.system_agents`)
afterAll(() => database.drop())

function insert(columns: Record<string, unknown> = {}) {
  const { sql } = database
  const agent = { agent_type: 'TASK_EXECUTION', llm_id: llm, status: 'active', ...columns }
  return sql`insert into public.system_agents ${sql(agent)} returning *`
}

test('an agent has an id, an empty config and two equal times unless it says otherwise', async () => {
  const [row] = await insert()
  expect(row).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    agent_type: 'TASK_EXECUTION',
    llm_id: llm,
    config: {},
    status: 'active',
    created_at: expect.any(String),
    updated_at: row?.created_at,
  })
})

test('two agents of one type are refused', async () => {
  await insert()
  expect(await refusal(insert({ status: 'inactive' }))).toEqual({
    code: '23505',
    constraint: 'uq_system_agents_agent_type',
  })
})

test('two agents of one id are refused', async () => {
  const [row] = await insert()
  expect(await refusal(insert({ id: row?.id, agent_type: 'ANOTHER' }))).toEqual({
    code: '23505',
    constraint: 'system_agents_pkey',
  })
})

test.each([...agentTypes, 'A_FOURTH_TYPE'])('the type %s is allowed', async agent_type => {
  expect(await refusal(insert({ agent_type }))).toBeUndefined()
})

test.each(systemAgentStatuses)('the state %s is allowed', async status => {
  expect(await refusal(insert({ status }))).toBeUndefined()
})

test.each(['', 'Active', 'deleted', ' active'])('the state %j is refused', async status => {
  expect(await refusal(insert({ status }))).toEqual({ code: '23514', constraint: 'chk_system_agents_status' })
})

test.each(['id', 'agent_type', 'llm_id', 'config', 'status', 'created_at', 'updated_at'])(
  '%s is never null',
  async column => {
    expect(await refusal(insert({ [column]: null }))).toMatchObject({ code: '23502' })
  },
)

test('a type holds 20 characters and no more', async () => {
  expect(await refusal(insert({ agent_type: 'T'.repeat(20) }))).toBeUndefined()
  expect(await refusal(insert({ agent_type: 'T'.repeat(21) }))).toMatchObject({ code: '22001' })
})

test('an agent of a model that is not there is refused', async () => {
  expect(await refusal(insert({ llm_id: '00000000-0000-0000-0000-000000000000' }))).toEqual({
    code: '23503',
    constraint: 'fk_system_agents_llm_id',
  })
})

test('a model stays as long as an agent runs on it', async () => {
  const { sql } = database
  await sql`
    insert into public.llms (model_code, provider, display_name, status)
    values ('another', 'provider', 'Another', 'active')`
  await insert()
  expect(await refusal(sql`delete from public.llms where id = ${llm}`)).toEqual({
    code: expect.stringMatching(restricted),
    constraint: 'fk_system_agents_llm_id',
  })
  expect(await sql`delete from public.llms where model_code = 'another' returning model_code`).toHaveLength(1)
})
