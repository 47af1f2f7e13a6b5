import { jsonb, pgTable, unique, uuid, varchar } from 'drizzle-orm/pg-core'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import type { JsonObject } from './json.ts'

/** A language model that agents may run on. */
export const llms = pgTable.withRLS(
  'llms',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** What the provider calls it; unique. */
    modelCode: varchar('model_code', { length: 100 }).notNull(),
    provider: varchar({ length: 50 }).notNull(),
    displayName: varchar('display_name', { length: 100 }).notNull(),
    /** What calling it takes, such as a context window; the platform reads it, the database does not. */
    config: jsonb().$type<JsonObject>().notNull().default({}),
    // No check: the set of states is open.
    status: varchar({ length: 20 }).notNull(),
    ...timestamps(),
  },
  table => [unique('uq_llms_model_code').on(table.modelCode), ...denyAll('llms')],
)

/** A row of `llms`. */
export type Llm = typeof llms.$inferSelect
/** What a new row of `llms` takes. */
export type NewLlm = typeof llms.$inferInsert
