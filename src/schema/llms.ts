import { jsonb, pgTable, unique, uuid, varchar } from 'drizzle-orm/pg-core'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import type { JsonObject } from './json.ts'

/** What calling a model takes; the platform reads it, the database does not. A backend may read other keys too. */
export type LlmConfig = JsonObject & {
  /** Total tokens for prompt and answer. */
  context_window?: number
  /** Maximum tokens in one answer, thinking included. */
  max_output_tokens?: number
  /** What a message may hold, such as `image`. */
  input?: string[]
  /** Whether the model can call functions. */
  tools?: boolean
  /** Whether an answer can be held to a JSON Schema. */
  structured_output?: boolean
  /** Whether the API takes a temperature. */
  temperature?: boolean
}

/** A language model that agents may run on. */
export const llms = pgTable.withRLS(
  'llms',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** What the provider calls it; unique. */
    modelCode: varchar('model_code', { length: 100 }).notNull(),
    provider: varchar({ length: 50 }).notNull(),
    displayName: varchar('display_name', { length: 100 }).notNull(),
    config: jsonb().$type<LlmConfig>().notNull().default({}),
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
