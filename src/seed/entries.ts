import { z } from 'zod'
import { agentConfig, llmConfig, problemsInConfig } from '../config.ts'
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

// Not z.record: it copies, and drops a key named `__proto__`.
const settings = (description: string, known: z.ZodObject) =>
  z
    .custom<JsonObject>(isObject)
    .superRefine((config, context) => {
      if (!isObject(config)) return
      for (const problem of problemsInConfig(known, config)) context.addIssue({ code: 'custom', ...problem })
    })
    .meta({ description, type: 'object', properties: z.toJSONSchema(known).properties })

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
  config: settings('What the backend needs to know to call the model; any JSON beside these.', llmConfig),
})

export const agentEntry = z.strictObject({
  agent_type: text(20, 'What the backend asks for, such as TASK_EXECUTION. No two agents share one.'),
  llm_model_code: text(
    100,
    'The model_code of a model in llms.yaml, or of one that is in the database already.',
  ),
  status: z.enum(systemAgentStatuses).describe('An inactive agent is not offered.'),
  config: settings('What the backend passes on; any JSON beside these.', agentConfig),
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
