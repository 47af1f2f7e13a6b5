import { expect, test } from 'vitest'
import { defaultSeedFiles, readSeedFiles } from '../../../src/seed.ts'

test('the seeds of the package are right by themselves, without a database', async () => {
  const { models, agents, references, notes } = await readSeedFiles(defaultSeedFiles(), [])
  expect(agents.map(({ agent_type }) => agent_type)).toEqual([
    'INTENT_RECOGNITION',
    'TASK_EXECUTION',
    'RESULT_REPORTING',
  ])
  expect(new Set(models.map(({ provider }) => provider)).size).toBeGreaterThanOrEqual(3)
  expect(references).toEqual([])
  expect(notes).toEqual([])
})

test('every agent asks of its model only what that model gives', async () => {
  const { models, agents } = await readSeedFiles(defaultSeedFiles())
  for (const { agent_type, llm_model_code, config } of agents) {
    const model = models.find(({ model_code }) => model_code === llm_model_code)
    expect(model?.status, agent_type).toBe('active')
    expect(config.max_tokens, agent_type).toBeLessThanOrEqual(Number(model?.config.max_output_tokens))
    if ('temperature' in config) expect(model?.config.temperature, agent_type).toBe(true)
    if ('max_steps' in config) expect(model?.config.tools, agent_type).toBe(true)
    expect(String(config.prompt).length, agent_type).toBeGreaterThan(500)
  }
})
