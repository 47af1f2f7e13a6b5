import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isObject } from '../../../src/json.ts'
import { sharedDatabase, signUp } from '../../support/database.ts'
import { refusal } from './refusal.ts'

let user: string
const at = sharedDatabase('today', async ({ admin }) => {
  user = await signUp(admin)
})

const set = (json: string) =>
  refusal(at.sql`update public.profiles set settings = ${json}::text::jsonb where id = ${user}`)

test.each([
  '{"agent_prompts": {}}',
  '{"agent_prompts": {"TASK_EXECUTION": "Be brief."}}',
  '{"agent_prompts": {}, "theme": null}',
])('settings of %s are allowed', async json => {
  expect(await set(json)).toBeUndefined()
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
])('settings of %s are refused', async json => {
  expect(await set(json)).toEqual({ code: '23514', constraint: 'chk_profiles_settings_agent_prompts' })
})

test('settings that are not an object with an object agent_prompts are refused, and all others allowed', async () => {
  const json = fc.jsonValue({ noUnicodeString: true }).map(value => JSON.parse(JSON.stringify(value)))
  const anything = fc.oneof(
    json,
    fc.record({ agent_prompts: json }),
    fc.record({ agent_prompts: fc.object() }),
  )
  await fc.assert(
    fc.asyncProperty(anything, async value => {
      const refused = await set(JSON.stringify(value))
      expect(refused === undefined).toBe(isObject(value) && isObject(value.agent_prompts))
    }),
  )
})
