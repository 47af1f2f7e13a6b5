import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { agentsForUser, clearAgentPrompt, setAgentPrompt } from '../../../src/index.ts'
import { sharedDatabase, signUp } from '../../support/database.ts'
import { addModel } from '../../support/rows.ts'

const types = Array.from({ length: 12 }, (_, n) => `AGENT_${n}`)
const at = sharedDatabase('today', async ({ sql }) => {
  const llm = await addModel(sql)
  await sql`insert into public.system_agents (agent_type, llm_id, status)
            select type, ${llm}, 'active' from unnest(${types}::text[]) type`
})
const settingsOf = async (id: string) =>
  (await at.sql`select settings from public.profiles where id = ${id}`)[0]?.settings
const customized = async (id: string) =>
  (await agentsForUser(at.db, id)).flatMap(({ agentType, customized }) => (customized ? [agentType] : []))

test('prompts set at once all stay, and other settings with them', async () => {
  const id = await signUp(at.admin)
  await at.sql`update public.profiles set settings = settings || '{"theme": "dark"}' where id = ${id}`
  await Promise.all(types.map(type => setAgentPrompt(at.db, id, type, `Be ${type}.`)))
  const prompts = Object.fromEntries(types.map(type => [type, `Be ${type}.`]))
  expect(await settingsOf(id)).toEqual({ theme: 'dark', agent_prompts: prompts })
  expect(await customized(id)).toEqual(types.toSorted())

  await Promise.all(types.slice(1).map(type => clearAgentPrompt(at.db, id, type)))
  expect(await settingsOf(id)).toEqual({ theme: 'dark', agent_prompts: { AGENT_0: 'Be AGENT_0.' } })
})

test('another prompt takes the place of the first, and what is cleared twice is no error', async () => {
  const id = await signUp(at.admin)
  for (const prompt of ['one', `two "quoted" ' {\\u0041} 😀\n`])
    await setAgentPrompt(at.db, id, 'AGENT_1', prompt)
  expect(await settingsOf(id)).toEqual({ agent_prompts: { AGENT_1: `two "quoted" ' {\\u0041} 😀\n` } })
  for (let i = 0; i < 2; i++) await clearAgentPrompt(at.db, id, 'AGENT_1')
  expect(await settingsOf(id)).toEqual({ agent_prompts: {} })
})

test('an unknown user, an unknown agent and a blank prompt are errors with a code, and change nothing', async () => {
  const id = await signUp(at.admin)
  await expect(setAgentPrompt(at.db, id, 'NONE', 'x')).rejects.toMatchObject({ code: 'UNKNOWN_AGENT' })
  await expect(setAgentPrompt(at.db, randomUUID(), 'AGENT_1', 'x')).rejects.toMatchObject({
    code: 'UNKNOWN_USER',
  })
  await expect(clearAgentPrompt(at.db, randomUUID(), 'AGENT_1')).rejects.toMatchObject({
    code: 'UNKNOWN_USER',
  })
  for (const prompt of ['', ' \n', 'a\0b'])
    await expect(setAgentPrompt(at.db, id, 'AGENT_1', prompt)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    })
  expect(await settingsOf(id)).toEqual({ agent_prompts: {} })
})
