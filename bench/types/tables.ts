// The tables as a backend would write them without this package.
import { defineRelations } from 'drizzle-orm'
import { jsonb, pgTable, text, timestamp, uuid, varchar } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }

export const llms = pgTable('llms', {
  id: uuid().primaryKey().defaultRandom(),
  modelCode: varchar('model_code', { length: 100 }).notNull().unique(),
  provider: varchar({ length: 50 }).notNull(),
  displayName: varchar('display_name', { length: 100 }).notNull(),
  config: jsonb().$type<JsonObject>().notNull().default({}),
  status: varchar({ length: 20 }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
})

export const systemAgents = pgTable('system_agents', {
  id: uuid().primaryKey().defaultRandom(),
  agentType: varchar('agent_type', { length: 20 }).notNull().unique(),
  llmId: uuid('llm_id')
    .notNull()
    .references(() => llms.id, { onDelete: 'restrict' }),
  config: jsonb().$type<JsonObject>().notNull().default({}),
  status: varchar({ length: 20, enum: ['active', 'inactive'] }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
})

export const profiles = pgTable('profiles', {
  id: uuid().primaryKey(),
  username: text(),
  avatarUrl: text('avatar_url'),
  bio: text(),
  settings: jsonb()
    .$type<{ agent_prompts: Record<string, string>; [key: string]: Json }>()
    .notNull()
    .default({ agent_prompts: {} }),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
})

export const memories = pgTable('memories', {
  id: uuid().primaryKey().defaultRandom(),
  userId: uuid('user_id').notNull(),
  memoryType: varchar('memory_type', { length: 20, enum: ['work', 'user'] }).notNull(),
  content: text().notNull(),
  status: varchar({ length: 20 }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
})

const relations = defineRelations({ llms, systemAgents, profiles, memories }, r => ({
  llms: { systemAgents: r.many.systemAgents({ from: r.llms.id, to: r.systemAgents.llmId }) },
  systemAgents: { llm: r.one.llms({ from: r.systemAgents.llmId, to: r.llms.id, optional: false }) },
  profiles: { memories: r.many.memories({ from: r.profiles.id, to: r.memories.userId }) },
  memories: { profile: r.one.profiles({ from: r.memories.userId, to: r.profiles.id }) },
}))

export const createDatabase = (url: string) => drizzle({ client: postgres(url), relations })
