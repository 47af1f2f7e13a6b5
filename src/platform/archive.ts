import { sql } from 'drizzle-orm'
import type { Catalog } from '../catalog/read.ts'
import type { Database } from '../database.ts'
import { failed } from '../migrator/failure.ts'
import { readLedger } from '../migrator/ledger.ts'
import {
  DEFAULT_LOCK_TIMEOUT,
  type LockOptions,
  retryOnLockTimeout,
  withMigrationLock,
} from '../migrator/lock.ts'
import type { LedgerName } from '../migrator/project.ts'
import { readSettled } from '../pg-error.ts'
import { execute, query, reading, setLockTimeout } from '../query.ts'

/** What the schema `archive` holds. */
export interface ArchiveReport {
  /** Whether it holds what a rollback needs; otherwise what it holds is restored by the next migration. */
  kept: boolean
  /** When the rows were copied; null where nothing is kept, or the ledger does not say. */
  since: string | null
  tables: { name: string; rows: number; bytes: number }[]
}

/** Says what the schema `archive` holds, exactly counted; reads only. */
export async function readArchive(
  db: Database,
  options: { ledger?: LedgerName } = {},
): Promise<ArchiveReport> {
  return await readSettled(() => reading(db, tx => readOnce(tx, options)))
}

async function readOnce(db: Database, options: { ledger?: LedgerName }): Promise<ArchiveReport> {
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
  const copied = (await readLedger(db, options)).find(entry => entry.name.endsWith('_archive_user_agents'))
  const kept = tables.some(({ name }) => name === 'archive.memory_agents')
  return {
    kept,
    since: kept ? (copied?.appliedAt ?? null) : null,
    tables: kept ? tables : tables.filter(t => t.rows > 0),
  }
}

/**
 * Deletes the data kept for a rollback. From then on a rollback past the migration that dropped the old tables is refused.
 *
 * @returns what there was
 * @throws MigrationError `STATEMENT_FAILED` while the old tables exist (SQLSTATE 55000), `LOCK_TIMEOUT`
 */
export async function dropArchive(
  db: Database,
  options: LockOptions & { ledger?: LedgerName } = {},
): Promise<ArchiveReport> {
  const { lockTimeout = DEFAULT_LOCK_TIMEOUT } = options
  return await retryOnLockTimeout(options, () =>
    withMigrationLock(db, options, async tx => {
      const report = await readArchive(tx, options)
      if (!report.kept) return report
      await setLockTimeout(tx, lockTimeout)
      await execute(tx, sql`select archive.drop_copies()`).catch(cause => {
        throw failed('archive', ['Nothing was dropped.'], cause)
      })
      return report
    }),
  )
}

/** A database may have dropped the archive, or may have kept parts of it in a rollback: neither is drift. */
export function expectedWithArchive(exact: Catalog, found: Catalog, catalogs: Catalog[]): Catalog {
  const allowed = { ...exact }
  const copies = copiesIn(exact)
  if (!copies.some(copy => copy in found)) for (const copy of copies) delete allowed[copy]
  for (const object of ['schema archive', 'table archive.system_agents']) {
    const kept = catalogs.findLast(catalog => object in catalog)?.[object]
    if (object in found && kept) allowed[object] ??= kept
  }
  return allowed
}

/** What `archive drop` drops; nothing as long as triggers keep it current. */
function copiesIn(catalog: Catalog): string[] {
  const facts = Object.values(catalog).flatMap(object => Object.values(object))
  if (facts.some(fact => fact.includes(' EXECUTE FUNCTION archive.'))) return []
  return Object.keys(catalog).filter(object =>
    /^table archive\.(?!profile_settings$|system_agents$)/.test(object),
  )
}
