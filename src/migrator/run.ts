import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { connectionsOf, execute, query } from '../query.ts'
import { waitForAutovacuum } from './autovacuum.ts'
import { explainBlockers } from './blockers.ts'
import { statementFailed } from './failure.ts'
import type { Migration, Script } from './files.ts'
import { ensureLedger, type LedgerEntry, readLedger } from './ledger.ts'
import { defaultLockTimeout, type LockOptions, retryOnLockTimeout, withMigrationLock } from './lock.ts'
import { runOnline } from './online.ts'
import type { Project } from './project.ts'

export interface RunOptions extends LockOptions {
  /** Run `online.sql` and `down.online.sql`, which need a second connection; true unless given. */
  online?: boolean
  /** Called before each migration. */
  onStart?: (name: string) => void
  /** Called after each migration, once it is committed. */
  onDone?: (name: string, milliseconds: number) => void
}

/** A migration that was run, and how long it took. */
export interface Ran {
  name: string
  milliseconds: number
}

/** A migration on its way up or down. */
interface Run {
  migration: Migration
  script: Script
  /** Runs first in the same transaction. */
  check?: Script | undefined
  online: Script | undefined
  /** Whether, under the lock, it is still to be run; throws where it must not be. */
  isPending: (ledger: LedgerEntry[]) => boolean
  /** Runs last in the transaction: writes the ledger. */
  finish: (tx: Database) => Promise<void>
}

/**
 * Runs a migration: its online script, each statement outside the transaction, then its script in one transaction with
 * the change of the ledger. The transaction is opened first and holds the migration lock for as long as it lasts; the
 * ledger is read again under it.
 *
 * @returns undefined where another migrator ran it meanwhile
 * @throws MigrationError
 */
export async function runMigration(
  db: Database,
  project: Project,
  run: Run,
  options: RunOptions,
): Promise<Ran | undefined> {
  const { name } = run.migration
  options.onStart?.(name)
  const started = performance.now()
  if (!(await runInTransaction(db, project, run, options))) return undefined
  const ran = { name, milliseconds: performance.now() - started }
  options.onDone?.(ran.name, ran.milliseconds)
  return ran
}

/** @returns whether it was still to be run */
async function runInTransaction(
  db: Database,
  project: Project,
  run: Run,
  options: RunOptions,
): Promise<boolean> {
  const { lockTimeout = defaultLockTimeout } = options
  let online = options.online !== false && connectionsOf(db) > 1 ? run.online : undefined

  const attempt = () =>
    withMigrationLock(db, async tx => {
      await ensureLedger(tx, project)
      if (!run.isPending(await readLedger(tx, project))) return false
      // This transaction is idle while the online script runs. Without parameters, and last before it, the driver asks in
      // PostgreSQL's simple way, which leaves no snapshot for an index build to wait for.
      await execute(
        tx,
        sql`select set_config(name, '0', true)
              from pg_catalog.pg_settings
             where name in ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout')`,
      )
      if (online) await runOnline(db, project, run.migration, online, options)
      online = undefined
      // drizzle-kit writes table names without their schema.
      await execute(
        tx,
        sql`select set_config('search_path', 'public', true),
                   set_config('lock_timeout', ${`${lockTimeout}ms`}, true)`,
      )
      if (run.check) await runScript(db, tx, project, run.migration, run.check, lockTimeout)
      await runScript(db, tx, project, run.migration, run.script, lockTimeout)
      await run.finish(tx)
      return true
    })
  const text = run.script.statements.map(statement => statement.sql).join('\n')
  return await retryOnLockTimeout(options, attempt, () => waitForAutovacuum(db, text))
}

/** Runs a script in the transaction; a connection to spare is asked who blocks it. */
async function runScript(
  db: Database,
  tx: Database,
  project: Project,
  migration: Migration,
  script: Script,
  lockTimeout: number,
): Promise<void> {
  const observed = connectionsOf(db) > 1
  const [self] = await query<{ pid: number }>(tx, sql`select pg_backend_pid() as pid`)
  for (const statement of script.statements) {
    const work = () => execute(tx, sql.raw(statement.sql))
    const failed = (cause: unknown, blockers?: string[]) =>
      statementFailed(project, migration, script, statement, cause, blockers)
    if (observed && self) await explainBlockers(db, self.pid, lockTimeout * 0.4, work, failed)
    else await work().catch(cause => Promise.reject(failed(cause)))
  }
}
