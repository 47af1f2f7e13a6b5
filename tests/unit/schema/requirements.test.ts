import { expect, test } from 'vitest'
import { missingExports, missingInCatalog } from '../../../scripts/requirements.ts'
import { catalogs, last } from '../../support/migrations.ts'
import { root } from '../../support/root.ts'

const today = catalogs.get(last)!

test('every table in src/schema is exported, and has its validators', async () => {
  expect(await missingExports(root)).toEqual([])
})

test('every table in public has what a table must have', () => {
  expect(missingInCatalog(today)).toEqual([])
})

test.each([
  ['row level security', 'no row level security with policies'],
  ['grants to service_role', 'service_role may not select'],
  ['trigger keep_updated_at', 'updated_at never moves'],
  ['index ix_system_agents_llm_id', 'constraint fk_system_agents_llm_id has no index'],
])('a table without %s is named', (fact, message) => {
  const { [fact]: _, ...facts } = today['table public.system_agents']!
  const missing = missingInCatalog({ ...today, 'table public.system_agents': facts })
  expect(missing).toEqual([expect.stringContaining(`public.system_agents: ${message}`)])
})

test('a table that clients may read is named', () => {
  const facts = { ...today['table public.llms'], 'grants to anon': 'SELECT' }
  const missing = missingInCatalog({ 'table public.llms': facts })
  expect(missing).toEqual([expect.stringContaining('public.llms: anon has SELECT')])
})
