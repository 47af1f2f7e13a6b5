import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { memoryTypes } from '../../../src/schema.ts'
import { asRole, createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { refusal } from './refusal.ts'

let database: TestDatabase
let user: string
beforeAll(async () => {
  database = await createDatabase('today')
  user = await signUp(database.admin)
})
afterEach(() => database.sql`delete from public.memories`)
afterAll(() => database.drop())

function insert(columns: Record<string, unknown> = {}) {
  const { sql } = database
  const memory = { user_id: user, memory_type: 'user', content: 'content', status: 'active', ...columns }
  return sql`insert into public.memories ${sql(memory)} returning *`
}

test('a memory has an id and two equal times unless it says otherwise', async () => {
  const [row] = await insert()
  expect(row).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    user_id: user,
    memory_type: 'user',
    content: 'content',
    status: 'active',
    created_at: expect.any(String),
    updated_at: row?.created_at,
  })
})

test.each(memoryTypes)('the type %s is allowed', async memory_type => {
  expect(await refusal(insert({ memory_type }))).toBeUndefined()
})

test.each(['', 'Work', 'agent', ' user'])('the type %j is refused', async memory_type => {
  expect(await refusal(insert({ memory_type }))).toEqual({
    code: '23514',
    constraint: 'chk_memories_memory_type',
  })
})

test.each(['id', 'user_id', 'memory_type', 'content', 'status', 'created_at', 'updated_at'])(
  '%s is never null',
  async column => {
    expect(await refusal(insert({ [column]: null }))).toMatchObject({ code: '23502' })
  },
)

test.each(['', 'preview', 'ACTIVE'])('the state %j is allowed: the set is open', async status => {
  expect(await refusal(insert({ status }))).toBeUndefined()
})

test('a state holds 20 characters and no more, content any number', async () => {
  expect(await refusal(insert({ status: 's'.repeat(20), content: 'c'.repeat(1_000_000) }))).toBeUndefined()
  expect(await refusal(insert({ status: 's'.repeat(21) }))).toMatchObject({ code: '22001' })
})

test('two memories of one id are refused, two of one content are not', async () => {
  const [row] = await insert()
  expect(await refusal(insert())).toBeUndefined()
  expect(await refusal(insert({ id: row?.id }))).toEqual({ code: '23505', constraint: 'memories_pkey' })
})

test('a memory of nobody is refused', async () => {
  expect(await refusal(insert({ user_id: '00000000-0000-0000-0000-000000000000' }))).toEqual({
    code: '23503',
    constraint: 'fk_memories_user_id',
  })
})

test('memories go with their user, and nobody else’s do', async () => {
  const { sql, admin } = database
  const leaver = await signUp(admin)
  await insert({ user_id: leaver })
  await insert({ user_id: leaver, memory_type: 'work' })
  const [kept] = await insert()
  await asRole(admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${leaver}`)
  expect(await sql`select id from public.memories`).toEqual([{ id: kept?.id }])
})

test('one user’s memories of one type and state are found by an index', async () => {
  const plan = await database.sql.begin(async tx => {
    await tx`set local enable_seqscan = off`
    return await tx`
      explain select * from public.memories
       where user_id = ${user} and memory_type = 'work' and status = 'active'`
  })
  expect(plan.map(row => row['QUERY PLAN']).join('\n')).toContain('ix_memories_user_id_memory_type_status')
})
