import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  unique,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import type { JsonObject } from './json.ts'
import { llms } from './llms.ts'

/** The types the platform came with. A deployment may add others, so the column takes any. */
export const agentTypes = ['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING'] as const
export type AgentType = (typeof agentTypes)[number]

/** Inactive agents are kept, and run for nobody. */
export const systemAgentStatuses = ['active', 'inactive'] as const
export type SystemAgentStatus = (typeof systemAgentStatuses)[number]

/** How an agent runs. A backend may read other keys too. */
export type AgentConfig = JsonObject & {
  /** The system prompt, which a user may replace by one of their own. */
  prompt?: string
  /** From 0, repeatable, to 2. */
  temperature?: number
  /** Longest answer, in tokens. */
  max_tokens?: number
  /** When the backend gives up on one call. */
  timeout_seconds?: number
  /** How many rounds of tool calls one task may take. */
  max_steps?: number
  response_format?: 'text' | 'json'
}

/** An agent of the platform, the same for every user. */
export const systemAgents = pgTable.withRLS(
  'system_agents',
  {
    id: uuid().notNull().defaultRandom(),
    agentType: varchar('agent_type', { length: 20 }).notNull(),
    /** The model it runs on; a model in use cannot be deleted. */
    llmId: uuid('llm_id').notNull(),
    config: jsonb().$type<AgentConfig>().notNull().default({}),
    status: varchar({ length: 20, enum: systemAgentStatuses }).notNull(),
    ...timestamps(),
  },
  table => [
    primaryKey({ name: 'system_agents_pkey', columns: [table.id] }),
    unique('uq_system_agents_agent_type').on(table.agentType),
    foreignKey({
      name: 'fk_system_agents_llm_id',
      columns: [table.llmId],
      foreignColumns: [llms.id],
    }).onDelete('restrict'),
    index('ix_system_agents_llm_id').on(table.llmId),
    check('chk_system_agents_status', sql`${table.status} in ('active', 'inactive')`),
    ...denyAll('system_agents'),
  ],
)

/** A row of `system_agents`. */
export type SystemAgent = typeof systemAgents.$inferSelect
/** What a new row of `system_agents` takes. */
export type NewSystemAgent = typeof systemAgents.$inferInsert
