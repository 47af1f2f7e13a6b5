import { timestamp } from 'drizzle-orm/pg-core'

/** When the row was made and last changed; the database keeps both. */
export function timestamps() {
  return {
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  }
}
