import { sql } from 'drizzle-orm'
import type { Database } from '../src/database.ts'
import { asOneBatch } from '../src/migrator/batches.ts'
import { readMigrations, type Script } from '../src/migrator/files.ts'
import { ensureLedger, insertEntry } from '../src/migrator/ledger.ts'
import {
  type LockMode,
  type Locks,
  lockModes,
  type ScriptLocks,
  type TableLocks,
} from '../src/migrator/measured-locks.ts'
import { findByName } from '../src/migrator/name.ts'
import { indexedConcurrently } from '../src/migrator/parse.ts'
import type { Project } from '../src/migrator/project.ts'
import { applySettings, execute, query, transaction } from '../src/query.ts'

/**
 * Applies a migration and reads from `pg_locks`, after each of its statements, which locks on tables it holds. Run it on a
 * throwaway database with rows: loops and row triggers take no locks on empty tables.
 */
export async function measureLocks(db: Database, project: Project, name: string): Promise<Locks> {
  const migration = findByName(readMigrations(project.folder), name)
  const locks: Locks = {}
  if (migration.upOnline) locks['online.sql'] = await measureOnline(db, migration.upOnline)
  await transaction(db, async tx => {
    await ensureLedger(tx, project)
    // drizzle-kit writes table names without their schema.
    await applySettings(tx, { search_path: 'public' })
    locks['migration.sql'] = await measureScript(tx, migration.up)
    await insertEntry(tx, project, migration)
  })
  return locks
}

async function measureScript(tx: Database, { statements }: Script): Promise<ScriptLocks> {
  const taken: ScriptLocks['taken'] = {}
  const existing = await readTables(tx)
  let before = await readHeldLocks(tx, existing)
  for (const [index, statement] of statements.entries()) {
    await execute(tx, sql.raw(statement.sql))
    const after = await readHeldLocks(tx, existing)
    const added = Object.entries(after).filter(([table, mode]) => before[table] !== mode)
    added.sort(([a], [b]) => (a < b ? -1 : 1))
    if (added.length > 0) taken[index + 1] = Object.fromEntries(added)
    before = after
  }
  return { statements: statements.length, taken }
}

/** Each statement on its own. */
async function measureOnline(db: Database, script: Script): Promise<ScriptLocks> {
  const taken: ScriptLocks['taken'] = {}
  for (const [index, statement] of script.statements.entries()) {
    const concurrent = await indexedConcurrently(statement)
    if (concurrent) {
      await execute(db, sql.raw(statement.sql))
      // As PostgreSQL documents it: the lock is gone by the time we could look.
      taken[index + 1] = { [concurrent.table]: 'share update exclusive' }
      continue
    }
    const whole = { ...statement, sql: await asOneBatch(db, statement) }
    const measured = await transaction(db, tx => measureScript(tx, { ...script, statements: [whole] }))
    if (measured.taken[1]) taken[index + 1] = measured.taken[1]
  }
  return { statements: script.statements.length, taken }
}

/** Tables and views that others can see, by number. */
async function readTables(tx: Database): Promise<Map<number, string>> {
  const rows = await query<{ oid: number; name: string }>(
    tx,
    sql`select c.oid::integer as oid, format('%I.%I', n.nspname, c.relname) as name
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
  )
  return new Map(rows.map(({ oid, name }) => [oid, name]))
}

/** The strongest lock that this session holds on each of them. */
async function readHeldLocks(tx: Database, tables: Map<number, string>): Promise<TableLocks> {
  const rows = await query<{ relation: number; mode: string }>(
    tx,
    sql`select relation::integer as relation, lower(regexp_replace(left(mode, -4), '(?<!^)([A-Z])', ' \\1', 'g')) as mode
          from pg_catalog.pg_locks
         where pid = pg_backend_pid() and locktype = 'relation' and granted`,
  )
  const strength = ({ mode }: { mode: string }) => lockModes.indexOf(mode as LockMode)
  const locks: TableLocks = {}
  for (const { relation, mode } of rows.sort((a, b) => strength(a) - strength(b))) {
    const table = tables.get(relation)
    if (table !== undefined) locks[table] = mode as LockMode
  }
  return locks
}
