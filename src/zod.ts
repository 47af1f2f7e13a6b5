import type { Column } from 'drizzle-orm'
import { createInsertSchema, createSelectSchema, createUpdateSchema } from 'drizzle-orm/zod'
import { z } from 'zod'
import { agentConfig, llmConfig, problemsInConfig } from './config.ts'
import { isObject, isStorable, type JsonProblem, NOT_STORABLE, problemInObject } from './json.ts'
import {
  type AgentConfig,
  type JsonObject,
  type LlmConfig,
  llms,
  memories,
  type ProfileSettings,
  profiles,
  systemAgents,
} from './schema.ts'

/*
 * Validators made from the tables: what may be inserted, what a row looks like, what may be changed. Drizzle makes them
 * from the columns; what it does not know is said here: what is within JSON, and which text and UUIDs PostgreSQL takes.
 */

const llm = {
  // Any of PostgreSQL's UUIDs. z.uuid() refuses those whose version it does not know.
  id: () => z.guid(),
  modelCode: () => text(llms.modelCode),
  provider: () => text(llms.provider),
  displayName: () => text(llms.displayName),
  config: () => config<LlmConfig>(llmConfig),
  status: () => text(llms.status),
}
const memory = {
  id: () => z.guid(),
  userId: () => z.guid(),
  content: () => filled(memories.content),
  status: () => filled(memories.status),
}
const profile = {
  id: () => z.guid(),
  username: () => text(profiles.username),
  avatarUrl: () => text(profiles.avatarUrl),
  bio: () => text(profiles.bio),
  settings: () => settings,
}
const systemAgent = {
  id: () => z.guid(),
  agentType: () => text(systemAgents.agentType),
  llmId: () => z.guid(),
  config: () => config<AgentConfig>(agentConfig),
}

/** PostgreSQL counts characters, where JavaScript counts UTF-16 units. */
function text({ length: most }: Column) {
  const storable = z.string().refine(isStorable, NOT_STORABLE)
  if (most === undefined) return storable
  return storable
    .refine(value => [...value].length <= most, `is longer than ${most} characters`)
    .meta({ maxLength: most })
}

function filled(column: Column) {
  return text(column).refine(value => value.trim() !== '', 'must not be blank')
}

/** What a client may not change: whose a row is, and what the database keeps. */
const kept = { id: true, createdAt: true, updatedAt: true } as const

function change<Shape extends z.core.$ZodShape>(schema: z.ZodObject<Shape>) {
  const isChange = (values: object) => Object.values(values).some(value => value !== undefined)
  return schema.strict().refine(isChange, 'has nothing to change')
}

/**
 * Not `z.record`, which copies and drops a key named `__proto__`. In a row that is read, the known keys may be anything: it may be
 * older than these rules.
 */
function config<Config extends JsonObject>(known = z.object({})) {
  return z
    .unknown()
    .superRefine((value, context) => {
      const problem = problemInObject(value)
      if (problem) report(problem, context)
      else if (isObject(value)) for (const problem of problemsInConfig(known, value)) report(problem, context)
    })
    .meta({ type: 'object', properties: z.toJSONSchema(known).properties }) as z.ZodType<Config, Config>
}

const settings = z
  .unknown()
  .superRefine((value, context) => {
    const problem = problemInObject(value)
    if (problem || !isObject(value)) return report(problem, context)
    const prompts = value.agent_prompts
    if (!isObject(prompts)) return report({ path: ['agent_prompts'], message: 'must be an object' }, context)
    for (const [agentType, prompt] of Object.entries(prompts)) {
      const path = ['agent_prompts', agentType]
      if (typeof prompt !== 'string') report({ path, message: 'must be a string' }, context)
      const wrong = text(systemAgents.agentType).safeParse(agentType).error?.issues[0]?.message
      if (wrong) report({ path, message: `the agent type ${wrong}` }, context)
    }
  })
  .meta({
    type: 'object',
    required: ['agent_prompts'],
    properties: { agent_prompts: { type: 'object', additionalProperties: { type: 'string' } } },
  }) as z.ZodType<ProfileSettings, ProfileSettings>

function report(problem: JsonProblem | undefined, context: z.RefinementCtx): void {
  if (problem) context.addIssue({ code: 'custom', ...problem })
}

/** A model to insert. */
export const insertLlm = createInsertSchema(llms, llm).partial({ id: true, config: true })
/** A row of `llms`. */
export const selectLlm = createSelectSchema(llms, { ...llm, config: () => config<LlmConfig>() })
/** What to change of a model. */
export const updateLlm = change(createUpdateSchema(llms, llm).omit(kept))

/** A memory to insert. */
export const insertMemory = createInsertSchema(memories, memory).partial({ id: true })
/** A row of `memories`. */
export const selectMemory = createSelectSchema(memories, memory)
/** What to change of a memory; its user stays. */
export const updateMemory = change(createUpdateSchema(memories, memory).omit({ ...kept, userId: true }))

/** A profile to insert. A sign-up has made it already. */
export const insertProfile = createInsertSchema(profiles, profile).partial({
  username: true,
  avatarUrl: true,
  bio: true,
  settings: true,
})
/** A row of `profiles`. */
export const selectProfile = createSelectSchema(profiles, profile)
/** What to change of a profile. Its settings are not among it, as they would be replaced as a whole: `setAgentPrompt` sets a prompt. */
export const updateProfile = change(createUpdateSchema(profiles, profile).omit({ ...kept, settings: true }))

/** An agent to insert. */
export const insertSystemAgent = createInsertSchema(systemAgents, systemAgent).partial({
  id: true,
  config: true,
})
/** A row of `system_agents`. */
export const selectSystemAgent = createSelectSchema(systemAgents, {
  ...systemAgent,
  config: () => config<AgentConfig>(),
})
/** What to change of an agent. */
export const updateSystemAgent = change(createUpdateSchema(systemAgents, systemAgent).omit(kept))
