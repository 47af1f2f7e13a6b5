import { sql } from 'drizzle-orm'
import { check, foreignKey, jsonb, pgTable, primaryKey, unique, uuid, varchar } from 'drizzle-orm/pg-core'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import { llms } from './llms.ts'

/** The agents that a new user receives a copy of. */
export const userAgentCatalog = pgTable.withRLS(
  'user_agent_catalog',
  {
    id: uuid().notNull().defaultRandom(),
    agentType: varchar('agent_type', { length: 20 }).notNull(),
    llmId: uuid('llm_id').notNull(),
    config: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    status: varchar({ length: 20 }).notNull(),
    ...timestamps(),
  },
  table => [
    primaryKey({ name: 'user_agent_catalog_pkey', columns: [table.id] }),
    unique('uq_user_agent_catalog_agent_type').on(table.agentType),
    foreignKey({
      name: 'fk_user_agent_catalog_llm_id',
      columns: [table.llmId],
      foreignColumns: [llms.id],
    }).onDelete('restrict'),
    check('chk_user_agent_catalog_status', sql`${table.status} in ('active', 'inactive')`),
    ...denyAll('user_agent_catalog'),
  ],
)
