import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgTable, text, uuid, varchar } from 'drizzle-orm/pg-core'
import { authUsers } from 'drizzle-orm/supabase'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'

/** 'work': about an agent's work for the user; 'user': about the user. */
export const memoryTypes = ['work', 'user'] as const
export type MemoryType = (typeof memoryTypes)[number]

/** What the platform remembers for a user: about the user, or about an agent's work. */
export const memories = pgTable.withRLS(
  'memories',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** In `auth.users`; a memory goes with its user. */
    userId: uuid('user_id').notNull(),
    memoryType: varchar('memory_type', { length: 20, enum: memoryTypes }).notNull(),
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
    // One user's memories by type and status. Serves the foreign key too.
    index('ix_memories_user_id_memory_type_status').on(table.userId, table.memoryType, table.status),
    // One user's memories, the newest first.
    index('ix_memories_user_id_created_at_id').on(table.userId, table.createdAt, table.id),
    check('chk_memories_memory_type', sql`${table.memoryType} in ('work', 'user')`),
    ...denyAll('memories'),
  ],
)

/** A row of `memories`. */
export type Memory = typeof memories.$inferSelect
/** What a new row of `memories` takes. */
export type NewMemory = typeof memories.$inferInsert
