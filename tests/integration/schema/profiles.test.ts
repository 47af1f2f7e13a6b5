import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asRole, createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { refusal } from './refusal.ts'

let database: TestDatabase
let user: string
beforeAll(async () => {
  database = await createDatabase('today')
})
beforeEach(async () => {
  await database.admin`delete from auth.users`
  user = await signUp(database.admin)
  await database.sql`delete from public.profiles`
})
afterAll(() => database.drop())

function insert(columns: Record<string, unknown> = {}) {
  const { sql } = database
  return sql`insert into public.profiles ${sql({ id: user, ...columns })} returning *`
}

function withSettings(json: string) {
  return database.sql`insert into public.profiles (id, settings) values (${user}, ${json}::text::jsonb)`
}

test('a profile has empty agent_prompts and two equal times unless it says otherwise', async () => {
  const [row] = await insert()
  expect(row).toEqual({
    id: user,
    username: null,
    avatar_url: null,
    bio: null,
    settings: { agent_prompts: {} },
    created_at: expect.any(String),
    updated_at: row?.created_at,
  })
})

test.each(['id', 'settings', 'created_at', 'updated_at'])('%s is never null', async column => {
  expect(await refusal(insert({ [column]: null }))).toMatchObject({ code: '23502' })
})

test('there is no id but the user’s', async () => {
  expect(await refusal(database.sql`insert into public.profiles default values`)).toMatchObject({
    code: '23502',
  })
  expect(await refusal(insert({ id: '00000000-0000-0000-0000-000000000000' }))).toEqual({
    code: '23503',
    constraint: 'fk_profiles_id',
  })
})

test('a second profile of one user is refused', async () => {
  await insert()
  expect(await refusal(insert())).toEqual({ code: '23505', constraint: 'profiles_pkey' })
})

test('two users may have one username', async () => {
  await insert({ username: 'ada' })
  const other = await signUp(database.admin, { metadata: { username: 'ada' } })
  expect(await database.sql`select id from public.profiles where username = 'ada'`).toEqual(
    expect.arrayContaining([{ id: user }, { id: other }]),
  )
})

test('a profile goes with its user, and no other does', async () => {
  const { sql, admin } = database
  await insert()
  const other = await signUp(admin)
  await asRole(admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${user}`)
  expect(await sql`select id from public.profiles`).toEqual([{ id: other }])
})

describe('settings', () => {
  test.each([
    '{"agent_prompts": {}}',
    '{"agent_prompts": {"TASK_EXECUTION": "Be brief."}}',
    '{"agent_prompts": {}, "theme": null}',
  ])('%s is allowed', async json => {
    expect(await refusal(withSettings(json))).toBeUndefined()
  })

  test.each([
    '{}',
    '{"theme": "dark"}',
    '{"Agent_Prompts": {}}',
    '{"agent_prompts": null}',
    '{"agent_prompts": "Be brief."}',
    '{"agent_prompts": []}',
    '{"agent_prompts": 0}',
    '{"agent_prompts": false}',
    'null',
    '[]',
    '["agent_prompts"]',
    '[{"agent_prompts": {}}]',
    '"agent_prompts"',
    '42',
    'true',
  ])('%s is refused', async json => {
    expect(await refusal(withSettings(json))).toEqual({
      code: '23514',
      constraint: 'chk_profiles_settings_agent_prompts',
    })
  })

  test('whatever is not an object with an object agent_prompts is refused, and all else allowed', async () => {
    const json = fc.jsonValue({ noUnicodeString: true }).map(value => JSON.parse(JSON.stringify(value)))
    const anything = fc.oneof(
      json,
      fc.record({ agent_prompts: json }),
      fc.record({ agent_prompts: fc.object() }),
    )
    await fc.assert(
      fc.asyncProperty(anything, async value => {
        const prompts = isObject(value) ? value.agent_prompts : undefined
        const found = await refusal(withSettings(JSON.stringify(value)))
        await database.sql`delete from public.profiles`
        expect(found === undefined).toBe(isObject(prompts))
      }),
    )
  })
})

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
