import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  timestamp,
  unique,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import { authUsers } from 'drizzle-orm/supabase'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import { llms } from './llms.ts'

/** A user's own copy of an agent. */
export const userAgents = pgTable.withRLS(
  'user_agents',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id').notNull(),
    llmId: uuid('llm_id').notNull(),
    agentType: varchar('agent_type', { length: 20 }).notNull(),
    config: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    status: varchar({ length: 20 }).notNull(),
    createdBy: uuid('created_by'),
    updatedBy: uuid('updated_by'),
    ...timestamps(),
    deletedAt: timestamp('deleted_at', { withTimezone: true }),
  },
  table => [
    unique('uq_user_agents_user_id_agent_type').on(table.userId, table.agentType),
    index('ix_user_agents_agent_type').on(table.agentType),
    index('ix_user_agents_status').on(table.status),
    check(
      'chk_agent_type',
      sql`${table.agentType} in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING')`,
    ),
    foreignKey({
      name: 'fk_user_agents_user_id',
      columns: [table.userId],
      foreignColumns: [authUsers.id],
    }).onDelete('cascade'),
    foreignKey({ name: 'fk_user_agents_llm_id', columns: [table.llmId], foreignColumns: [llms.id] }).onDelete(
      'restrict',
    ),
    foreignKey({
      name: 'fk_user_agents_created_by',
      columns: [table.createdBy],
      foreignColumns: [authUsers.id],
    }).onDelete('set null'),
    foreignKey({
      name: 'fk_user_agents_updated_by',
      columns: [table.updatedBy],
      foreignColumns: [authUsers.id],
    }).onDelete('set null'),
    ...denyAll('user_agents'),
  ],
)
