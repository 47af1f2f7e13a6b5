import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, query } from '../query.ts'
import { MigrationError, refusalOf } from './error.ts'
import { readLedger } from './ledger.ts'
import { defaultLockTimeout, inTurn, type LockOptions, untilUnlocked } from './lock.ts'

/** What the schema `archive` holds. */
export interface ArchiveReport {
  /** Whether that is what users owned, kept for the way back; if not, it waits for the next way up. */
  kept: boolean
  /** When the copying was done; null where nothing is kept, or the ledger does not say. */
  since: string | null
  tables: { name: string; rows: number; bytes: number }[]
}

/** Says what the schema `archive` holds, exactly counted; reads only. */
export async function readArchive(db: Database): Promise<ArchiveReport> {
  const found = await query<{ name: string; bytes: number }>(
    db,
    sql`select c.relname as name, pg_total_relation_size(c.oid)::float8 as bytes
          from pg_catalog.pg_class c
         where c.relnamespace = to_regnamespace('archive')
           and c.relkind = 'r'
         order by c.relname`,
  )
  const tables = []
  for (const { name, bytes } of found) {
    const [row] = await query<{ rows: number }>(
      db,
      sql`select count(*)::float8 as rows from archive.${sql.identifier(name)}`,
    )
    tables.push({ name: `archive.${name}`, rows: row?.rows ?? 0, bytes })
  }
  const copied = (await readLedger(db)).find(entry => entry.name.endsWith('_archive_what_users_own'))
  const kept = tables.some(({ name }) => name === 'archive.memory_agents')
  return {
    kept,
    since: kept ? (copied?.appliedAt ?? null) : null,
    tables: kept ? tables : tables.filter(t => t.rows > 0),
  }
}

/**
 * Ends what is kept for the way back. From then on a rollback past the step that dropped the old tables is refused.
 *
 * @returns what there was
 * @throws MigrationError `STATEMENT_FAILED` while the old tables exist (SQLSTATE 55000), `LOCK_TIMEOUT`
 */
export async function dropArchive(db: Database, options: LockOptions = {}): Promise<ArchiveReport> {
  const { lockTimeout = defaultLockTimeout } = options
  return await untilUnlocked(options, () =>
    inTurn(db, async tx => {
      const report = await readArchive(tx)
      if (!report.kept) return report
      await execute(tx, sql`select set_config('lock_timeout', ${`${lockTimeout}ms`}, true)`)
      await execute(tx, sql`select archive.let_go()`).catch(cause => {
        const { message, code, hint } = refusalOf(cause)
        const lines = [`${message} (SQLSTATE ${code})`, hint && `hint: ${hint}`, 'Nothing was dropped.']
        throw new MigrationError('STATEMENT_FAILED', lines.filter(Boolean).join('\n'), {
          sqlState: code,
          cause,
        })
      })
      return report
    }),
  )
}
