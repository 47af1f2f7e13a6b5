import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentsForUser, profiles, relations } from '../../src/index.ts'
import { migrate, rollback, status } from '../../src/migrate.ts'
import { defaultSeedFiles, seed } from '../../src/seed.ts'
import { agent, documents, model } from '../support/seed-texts.ts'

const client = new PGlite()
const db = drizzle({ client, relations })

beforeAll(async () => {
  const stub = await readFile(new URL('../../src/local/supabase-stub.sql', import.meta.url), 'utf8')
  await client.transaction(async tx => {
    await tx.exec(`set local agents_db.deployer = 'postgres'; set local agents_db.grants = 'old';
                   set local agents_db.password = ''; ${stub}`)
  })
})
afterAll(() => client.close())

test('migrates, seeds and gives a user their agents over PGlite', async () => {
  const { pending } = await status(db)
  await migrate(db)
  expect(await status(db)).toMatchObject({ pending: [], applied: pending.map(name => ({ name })) })
  await seed(db, defaultSeedFiles())

  const id = '11111111-1111-1111-1111-111111111111'
  await client.query(`insert into auth.users (id, email) values ($1, 'a@example.test')`, [id])
  await db
    .update(profiles)
    .set({ settings: { agent_prompts: { TASK_EXECUTION: '{"a": 1}', RESULT_REPORTING: ' ' } } })
  const agents = await agentsForUser(db, id)
  expect(agents.map(agent => [agent.agentType, agent.customized, agent.llm.modelCode])).toEqual([
    ['INTENT_RECOGNITION', false, 'claude-haiku-4-5'],
    ['RESULT_REPORTING', false, 'gemini-2.5-flash'],
    ['TASK_EXECUTION', true, 'claude-sonnet-4-5'],
  ])
  expect(agents[2]?.config.prompt).toBe('{"a": 1}')
  expect(await db.query.systemAgents.findFirst({ with: { llm: true } })).toHaveProperty('llm.modelCode')
})

test('seeds again without a write, plans and prunes over PGlite', async () => {
  const rows = async () =>
    (
      await client.query(
        'select a.xmin::text, a.updated_at, agent_type, model_code from system_agents a join llms m on m.id = llm_id',
      )
    ).rows
  const before = await rows()
  expect((await seed(db, defaultSeedFiles())).agents.unchanged).toHaveLength(3)
  expect(await rows()).toEqual(before)

  const other = documents([model('m')], [agent('T', 'm'), agent('TASK_EXECUTION', 'm')])
  const planned = await seed(db, { ...other, dryRun: true, prune: true })
  expect(await rows()).toEqual(before)
  const report = await seed(db, { ...other, prune: true })
  expect({ ...planned, dryRun: false }).toEqual(report)
  expect(report.agents).toMatchObject({ created: ['T'], removed: ['INTENT_RECOGNITION', 'RESULT_REPORTING'] })
  expect(report.agents.updated.map(({ key }) => key)).toEqual(['TASK_EXECUTION'])
  expect(await rows()).toMatchObject([{ model_code: 'm' }, { model_code: 'm' }])
})

test('rolls back and migrates again over PGlite', async () => {
  const { applied } = await status(db)
  await rollback(db, { to: applied[1]!.name })
  expect((await status(db)).pending).toHaveLength(applied.length - 2)
  await migrate(db)
  expect((await status(db)).pending).toEqual([])
})
