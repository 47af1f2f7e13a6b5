import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, query, transaction } from '../query.ts'

/** Longer than PostgreSQL's deadlock_timeout, a second unless set otherwise: only then does an autovacuum give way. */
const patience = 1_500

/**
 * Waits for whatever vacuums or analyses the tables that a text names. An autovacuum goes on for as long as it takes
 * and gives way only to who has waited longer than we ever do; so it is waited for in a mode that keeps no client out.
 * What stays, or may not be waited for, is left to the next attempt.
 */
export async function passVacuum(db: Database, text: string): Promise<void> {
  const held = await query<{ schema: string; name: string }>(
    db,
    sql`select distinct n.nspname as schema, c.relname as name
          from pg_catalog.pg_locks l
          join pg_catalog.pg_class c on c.oid = l.relation
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where l.database = (select oid from pg_catalog.pg_database where datname = current_database())
           and l.mode = 'ShareUpdateExclusiveLock'
           and l.granted
           and c.relkind = 'r'
           and n.nspname in ('public', 'archive', 'auth')`,
  )
  for (const { schema, name } of held.filter(table => text.includes(table.name))) {
    await transaction(db, async tx => {
      await execute(tx, sql`select set_config('lock_timeout', ${`${patience}ms`}, true)`)
      const table = sql`${sql.identifier(schema)}.${sql.identifier(name)}`
      await execute(tx, sql`lock table ${table} in share update exclusive mode`)
    }).catch(() => {})
  }
}
