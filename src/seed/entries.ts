import { z } from 'zod'
import type { JsonObject } from './json.ts'

/** What a model or an agent may be: offered to users, or kept for later. */
export const SEED_STATUSES = ['active', 'inactive'] as const

// PostgreSQL counts characters, JavaScript UTF-16 units.
const text = (most: number) =>
  z
    .string()
    .refine(value => value.trim() !== '', 'must not be blank')
    .refine(value => [...value].length <= most, `is longer than the ${most} characters its column holds`)

// Not z.record: it copies, and drops a key named `__proto__`.
const settings = z
  .custom<JsonObject>(value => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'must be a mapping',
  })
  .meta({ type: 'object' })

/** An entry of `llms.yaml`. */
export const modelEntry = z.strictObject({
  model_code: text(100),
  provider: text(50),
  display_name: text(100),
  status: z.enum(SEED_STATUSES),
  config: settings,
})

/** An entry of `system_agents.yaml`. */
export const agentEntry = z.strictObject({
  agent_type: text(20),
  llm_model_code: text(100),
  status: z.enum(SEED_STATUSES),
  config: settings,
})

/** A language model, as a seed file states it. */
export type SeedModel = z.infer<typeof modelEntry>

/** A system agent, as a seed file states it. */
export type SeedAgent = z.infer<typeof agentEntry>
