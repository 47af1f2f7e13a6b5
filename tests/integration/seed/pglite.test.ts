import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultSeedFiles, seed } from '../../../src/seed.ts'
import { agent, documents, model } from '../../support/seed-texts.ts'

const client = new PGlite()
const db = drizzle({ client })
beforeAll(async () => {
  // The two tables alone, and no trigger: what a caller's own schema may look like.
  await client.exec(`
    create table llms (
      id uuid primary key default gen_random_uuid(), model_code varchar(100) not null unique,
      provider varchar(50) not null, display_name varchar(100) not null, config jsonb not null default '{}',
      status varchar(20) not null, created_at timestamptz not null default now(),
      updated_at timestamptz not null default now());
    create table system_agents (
      id uuid primary key default gen_random_uuid(), agent_type varchar(20) not null unique,
      llm_id uuid not null references llms on delete restrict, config jsonb not null default '{}',
      status varchar(20) not null, created_at timestamptz not null default now(),
      updated_at timestamptz not null default now());`)
})
afterAll(() => client.close())

const rows = async () =>
  (
    await client.query(
      'select a.xmin::text, a.updated_at, agent_type, model_code from system_agents a join llms m on m.id = llm_id',
    )
  ).rows

test('seeds, seeds again without a write, plans and prunes over PGlite', async () => {
  expect((await seed(db, defaultSeedFiles())).agents.created).toHaveLength(3)
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
