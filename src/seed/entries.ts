import { z } from 'zod'
import type { JsonObject } from '../schema/json.ts'
import { systemAgentStatuses } from '../schema/system-agents.ts'

// The descriptions end up in the JSON Schemas beside the seed files (scripts/seed-schemas.ts): editors show them.

// PostgreSQL and JSON Schema count characters, JavaScript UTF-16 units.
const text = (maxLength: number, description: string) =>
  z
    .string()
    .regex(/\S/, 'must not be blank')
    .refine(
      value => value.length <= maxLength || [...value].length <= maxLength,
      `is longer than the ${maxLength} characters its column holds`,
    )
    .meta({ description, maxLength })

/**
 * The keys of a configuration that the shipped files use: editors complete them, and one that is nearly right is noted.
 * A backend may read others, and anything in them.
 */
export const configKeys = {
  llms: {
    context_window: 'Tokens that prompt and answer share.',
    max_output_tokens: 'Most tokens in one answer, thinking included.',
    input: 'What a message may hold.',
    tools: 'Whether the model can call functions.',
    structured_output: 'Whether an answer can be held to a JSON Schema.',
    temperature: 'Whether the API takes a temperature.',
  },
  agents: {
    prompt: 'The system prompt. A user may lay one of their own over it.',
    temperature: '0 is repeatable, 1 is free.',
    max_tokens: 'Longest answer, in tokens.',
    timeout_seconds: 'When the backend gives up on one call.',
    max_steps: 'How many rounds of tool calls one task may take.',
    response_format: 'text or json.',
  },
}

// Not z.record: it copies, and drops a key named `__proto__`.
const settings = (description: string, keys: Record<string, string>) =>
  z
    .custom<JsonObject>(value => typeof value === 'object' && value !== null && !Array.isArray(value))
    .meta({
      description,
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(keys).map(([key, meaning]) => [key, { description: meaning }]),
      ),
    })

const modelCode = (description: string) => text(100, description)

/** An entry of `llms.yaml`. */
export const modelEntry = z.strictObject({
  model_code: modelCode(
    "What the provider's API calls the model. Agents refer to it; no two models share one.",
  ),
  provider: text(50, 'Whose API serves the model, such as anthropic, openai or google.'),
  display_name: text(100, 'What people see.'),
  status: z
    .enum(systemAgentStatuses)
    .describe('An inactive model is kept for the agents that still name it.'),
  config: settings('What the backend needs to know to call the model; any JSON.', configKeys.llms),
})

/** An entry of `system_agents.yaml`. */
export const agentEntry = z.strictObject({
  agent_type: text(20, 'What the backend asks for, such as TASK_EXECUTION. No two agents share one.'),
  llm_model_code: modelCode(
    'The model_code of a model in llms.yaml, or of one that is in the database already.',
  ),
  status: z.enum(systemAgentStatuses).describe('An inactive agent is not offered.'),
  config: settings('What the backend passes on; any JSON.', configKeys.agents),
})

/** The whole of `llms.yaml`. */
export const modelsFile = z
  .strictObject({ llms: z.array(modelEntry).optional().describe('The language models, in any order.') })
  .meta({ title: 'llms.yaml', description: 'The language models that agents may run on.' })

/** The whole of `system_agents.yaml`. */
export const agentsFile = z
  .strictObject({ agents: z.array(agentEntry).optional().describe('The agents, in any order.') })
  .meta({ title: 'system_agents.yaml', description: 'The agents that every user works with.' })

/** A language model, as a seed file states it. */
export type SeedModel = z.infer<typeof modelEntry>

/** A system agent, as a seed file states it. */
export type SeedAgent = z.infer<typeof agentEntry>
