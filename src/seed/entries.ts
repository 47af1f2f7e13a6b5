import { z } from 'zod'
import { isObject } from '../json.ts'
import type { JsonObject } from '../schema/json.ts'
import { systemAgentStatuses } from '../schema/system-agents.ts'

// Editors show the descriptions, from the JSON Schemas that scripts/seed-schemas.ts makes.
// PostgreSQL and JSON Schema count characters, JavaScript UTF-16 units.
const text = (max: number, description: string) =>
  z
    .string()
    .regex(/\S/, 'must not be blank')
    .refine(value => [...value].length <= max, `is longer than the ${max} characters its column holds`)
    .meta({ description, maxLength: max })

/** The keys of a configuration in the shipped files: editors complete them. A backend may read others. */
export const configKeys = {
  llms: {
    context_window: { description: 'Total tokens for prompt and answer.' },
    max_output_tokens: { description: 'Maximum tokens in one answer, thinking included.' },
    input: { description: 'What a message may hold.' },
    tools: { description: 'Whether the model can call functions.' },
    structured_output: { description: 'Whether an answer can be held to a JSON Schema.' },
    temperature: { description: 'Whether the API takes a temperature.' },
  },
  agents: {
    prompt: { description: 'The system prompt. A user may replace it with their own.' },
    temperature: { description: '0 is repeatable, 1 is most varied.' },
    max_tokens: { description: 'Longest answer, in tokens.' },
    timeout_seconds: { description: 'When the backend gives up on one call.' },
    max_steps: { description: 'How many rounds of tool calls one task may take.' },
    response_format: { description: 'text or json.' },
  },
}

// Not z.record: it copies, and drops a key named `__proto__`.
const settings = (description: string, properties: Record<string, { description: string }>) =>
  z.custom<JsonObject>(isObject).meta({ description, type: 'object', properties })

export const modelEntry = z.strictObject({
  model_code: text(
    100,
    "What the provider's API calls the model. Agents refer to it; no two models share one.",
  ),
  provider: text(50, 'Whose API serves the model, such as anthropic, openai or google.'),
  display_name: text(100, 'What people see.'),
  status: z
    .enum(systemAgentStatuses)
    .describe('An inactive model is kept for the agents that still name it.'),
  config: settings('What the backend needs to know to call the model; any JSON.', configKeys.llms),
})

export const agentEntry = z.strictObject({
  agent_type: text(20, 'What the backend asks for, such as TASK_EXECUTION. No two agents share one.'),
  llm_model_code: text(
    100,
    'The model_code of a model in llms.yaml, or of one that is in the database already.',
  ),
  status: z.enum(systemAgentStatuses).describe('An inactive agent is not offered.'),
  config: settings('What the backend passes on; any JSON.', configKeys.agents),
})

export const modelsFile = z
  .strictObject({ llms: z.array(modelEntry).optional().describe('The language models, in any order.') })
  .meta({ title: 'llms.yaml', description: 'The language models that agents may run on.' })

export const agentsFile = z
  .strictObject({ agents: z.array(agentEntry).optional().describe('The agents, in any order.') })
  .meta({ title: 'system_agents.yaml', description: 'The agents that every user works with.' })

/** Entries as the seed files state them. */
export type SeedModel = z.infer<typeof modelEntry>
export type SeedAgent = z.infer<typeof agentEntry>
