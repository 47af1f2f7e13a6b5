import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgTable, text, uuid, varchar } from 'drizzle-orm/pg-core'
import { authUsers } from 'drizzle-orm/supabase'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import { userAgents } from './user-agents.ts'

/** What the platform remembers for a user: of the user, or of an agent's work. */
export const memories = pgTable.withRLS(
  'memories',
  {
    id: uuid().primaryKey().defaultRandom(),
    userId: uuid('user_id').notNull(),
    agentId: uuid('agent_id'),
    memoryType: varchar('memory_type', { length: 20 }).notNull(),
    content: text().notNull(),
    status: varchar({ length: 20 }).notNull(),
    ...timestamps(),
  },
  table => [
    foreignKey({
      name: 'fk_memories_user_id',
      columns: [table.userId],
      foreignColumns: [authUsers.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'fk_memories_agent_id',
      columns: [table.agentId],
      foreignColumns: [userAgents.id],
    }).onDelete('cascade'),
    index('ix_memories_agent_type_status').on(table.agentId, table.memoryType, table.status),
    check(
      'chk_memory_type_agent_id',
      sql`(${table.memoryType} = 'work' and ${table.agentId} is not null) or (${table.memoryType} = 'user' and ${table.agentId} is null)`,
    ),
    ...denyAll('memories'),
  ],
)

export type Memory = typeof memories.$inferSelect
export type NewMemory = typeof memories.$inferInsert
