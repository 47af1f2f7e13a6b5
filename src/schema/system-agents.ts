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
import { llms } from './llms.ts'

/** The types the platform came with. A deployment may add others, so the column takes any. */
export const agentTypes = ['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING'] as const
export type AgentType = (typeof agentTypes)[number]

export const systemAgentStatuses = ['active', 'inactive'] as const
export type SystemAgentStatus = (typeof systemAgentStatuses)[number]

/** An agent of the platform, the same for every user. */
export const systemAgents = pgTable.withRLS(
  'system_agents',
  {
    id: uuid().notNull().defaultRandom(),
    agentType: varchar('agent_type', { length: 20 }).notNull(),
    llmId: uuid('llm_id').notNull(),
    config: jsonb().$type<Record<string, unknown>>().notNull().default({}),
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

export type SystemAgent = typeof systemAgents.$inferSelect
export type NewSystemAgent = typeof systemAgents.$inferInsert
