import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, query, reading, setLockTimeout, transaction } from '../query.ts'

/** In milliseconds. PostgreSQL cancels an autovacuum for a waiter only after its deadlock_timeout of a second. */
const PATIENCE = 1_500

/**
 * Waits until autovacuum releases the tables that a text names. PostgreSQL cancels it only for someone who has waited for
 * `deadlock_timeout`, which is longer than our lock timeout. Blocks no client; skips tables that we may not lock.
 */
export async function waitForAutovacuum(db: Database, text: string): Promise<void> {
  const find = (tx: Database) =>
    query<{ schema: string; name: string }>(
      tx,
      sql`select distinct n.nspname as schema, c.relname as name
          from pg_catalog.pg_locks l
          join pg_catalog.pg_class c on c.oid = l.relation
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where l.database = (select oid from pg_catalog.pg_database where datname = current_database())
           and l.mode = 'ShareUpdateExclusiveLock'
           and l.granted
           and c.relkind = 'r'
           and n.nspname !~ '^pg_'`,
    )
  const held = await reading(db, find)
  for (const { schema, name } of held.filter(table => text.includes(table.name))) {
    await transaction(db, async tx => {
      await setLockTimeout(tx, PATIENCE)
      const table = sql`${sql.identifier(schema)}.${sql.identifier(name)}`
      await execute(tx, sql`lock table ${table} in share update exclusive mode`)
    }).catch(() => {})
  }
}
