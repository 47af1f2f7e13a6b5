import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query, reading } from '../query.ts'
import type { Script } from './files.ts'
import { type LockMode, lockModes, readMeasuredLocks, type ScriptLocks } from './measured-locks.ts'
import { findPending } from './pending.ts'
import type { Finding, Project } from './project.ts'

/** A lock that a statement takes on a table that others can see. */
export interface PlannedLock {
  mode: LockMode
  table: string
  /** How many rows the table has, as last analysed; null where that is unknown, or the table is made on the way. */
  rows: number | null
}

export interface PlannedStatement {
  sql: string
  line: number
  /**
   * The locks that it takes first, or makes stronger than statements before it in the same transaction did; the strongest
   * first. Null where `locks.json` does not say.
   */
  locks: PlannedLock[] | null
}

/** What `migrate` would run, and what it would find before. */
export interface Plan {
  migrations: PlannedMigration[]
  findings: Finding[]
}

export interface PlannedMigration {
  name: string
  /** `online.sql` runs first, each statement on its own; `migration.sql` in one transaction. */
  scripts: { file: Script['file']; statements: PlannedStatement[] }[]
}

/**
 * Says what `migrate` would run and which locks each statement takes, as measured when `locks.json` was made. Reads the
 * ledger and PostgreSQL's catalogs; takes no lock on any other table.
 *
 * @throws MigrationError as `migrate` does before anything runs
 */
export async function planMigration(
  db: Database,
  project: Project,
  options: { to?: string } = {},
): Promise<Plan> {
  const { pending } = await findPending(db, project, options.to)
  const rows = await reading(db, readRowCounts)
  const migrations = pending.map(({ name, upOnline, up }) => {
    const locks = readMeasuredLocks(project.folder, name)
    const scripts = [upOnline, up].filter(script => script !== undefined)
    return { name, scripts: scripts.map(script => planScript(script, locks[script.file], rows)) }
  })
  return { migrations, findings: (await project.preflight?.(db, 'up', pending)) ?? [] }
}

function planScript({ file, statements }: Script, locks: ScriptLocks | undefined, rows: Map<string, number>) {
  const measured = locks?.statements === statements.length ? locks.taken : undefined
  const lock = ([table, mode]: [string, LockMode]) => ({ mode, table, rows: rows.get(table) ?? null })
  const strongestFirst = (a: PlannedLock, b: PlannedLock) =>
    lockModes.indexOf(b.mode) - lockModes.indexOf(a.mode)
  return {
    file,
    statements: statements.map(({ sql, line }, index) => {
      const taken = Object.entries(measured?.[index + 1] ?? {}).map(lock)
      return { sql, line, locks: measured ? taken.sort(strongestFirst) : null }
    }),
  }
}

async function readRowCounts(db: Database): Promise<Map<string, number>> {
  const rows = await query<{ name: string; rows: number }>(
    db,
    sql`select format('%I.%I', n.nspname, c.relname) as name, c.reltuples::float8 as rows
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'm') and c.reltuples >= 0`,
  )
  return new Map(rows.map(({ name, rows }) => [name, rows]))
}
