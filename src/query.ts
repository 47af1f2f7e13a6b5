import type { SQL } from 'drizzle-orm'
import type { Database } from './database.ts'

/** Runs one statement and gives its rows as objects, whichever driver the database uses. */
export async function query<Row extends Record<string, unknown>>(
  db: Database,
  statement: SQL,
): Promise<Row[]> {
  return await db.execute<Row>(statement, 'objects')
}
