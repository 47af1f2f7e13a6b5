import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { isLockFailure, pgErrorOf } from '../pg-error.ts'
import { applySettings, connectionsOf, execute, setLockTimeout } from '../query.ts'
import { waitForAutovacuum } from './autovacuum.ts'
import { type BatchOptions, forgetProgress } from './batches.ts'
import { readPid, watchForBlockers } from './blockers.ts'
import { MigrationError } from './error.ts'
import { failed, rolledBack, statementFailed } from './failure.ts'
import type { Migration, Script } from './files.ts'
import { ensureLedger, type LedgerEntry, readLedger } from './ledger.ts'
import { DEFAULT_LOCK_TIMEOUT, retryOnLockTimeout, withMigrationLock } from './lock.ts'
import { runOnline } from './online.ts'
import type { Guard, Project } from './project.ts'

export interface RunOptions extends BatchOptions {
  /** Called before each migration. */
  onStart?: (name: string) => void
  /** Called after each migration, once it is committed. */
  onDone?: (name: string, milliseconds: number) => void
}

/** A migration that was run, and how long it took. */
export interface CompletedRun {
  name: string
  milliseconds: number
}

/** A migration on its way up or down. */
interface Run {
  migration: Migration
  way: 'up' | 'down'
  /** The last migration that is applied before and after; undefined where none is. */
  from: string | undefined
  at: string | undefined
  online: Script | undefined
  /** Run in this order in one transaction. */
  scripts: (Script | undefined)[]
  /** Whether, under the lock, it is still to be run; throws where it must not be. */
  isDue: (ledger: LedgerEntry[]) => boolean
  /** Runs last in the transaction. */
  updateLedger: (tx: Database) => Promise<void>
}

/**
 * Runs a migration: its online script, where there is a second connection for it, each statement outside the transaction;
 * then its script in one transaction with the change of the ledger. The transaction is opened first and holds the migration
 * lock for as long as it lasts; the ledger is read again under it.
 *
 * @returns undefined where another migrator ran it meanwhile
 * @throws MigrationError
 */
export async function runMigration(
  db: Database,
  project: Project,
  run: Run,
  options: RunOptions,
): Promise<CompletedRun | undefined> {
  const { lockTimeout = DEFAULT_LOCK_TIMEOUT } = options
  const { name } = run.migration
  const scripts = run.scripts.filter(script => script !== undefined)
  let online = connectionsOf(db) > 1 ? run.online : undefined
  options.onStart?.(name)
  const started = performance.now()
  const prepareGuard = async (tx: Database): Promise<Guard> => {
    const prepared = project.guard?.(tx, run.from).catch(cause => {
      throw failed(name, ['Nothing of it was run.'], cause, project.hintFor)
    })
    return (await prepared) ?? (async () => {})
  }
  let guard: Guard | undefined
  let isCommitting = false
  const attempt = () =>
    withMigrationLock(db, options, async tx => {
      isCommitting = false
      await setLockTimeout(tx, lockTimeout)
      await ensureLedger(tx, project)
      if (!run.isDue(await readLedger(tx, project))) return false
      guard ??= await prepareGuard(tx)
      const check = guard
      // This transaction is idle while the online script runs. Without parameters, so that the driver uses the simple
      // protocol, which leaves no snapshot for an index build to wait for.
      await execute(tx, sql`select`)
      if (online) await runOnline(db, project, online, tx => check(tx, run.from), options)
      online = undefined
      // drizzle-kit writes table names without their schema.
      await applySettings(tx, { search_path: 'public' })
      for (const script of scripts) await runScript(db, tx, project, script, lockTimeout)
      await check(tx, run.at).catch(cause => {
        throw failed(name, [rolledBack[run.way]], cause, project.hintFor)
      })
      await run.updateLedger(tx)
      await forgetProgress(tx, project)
      isCommitting = true
      return true
    })
  const text = scripts.flatMap(({ statements }) => statements.map(({ sql }) => sql)).join('\n')
  // In a transaction of its own: what a guard writes, and undoes, would keep autovacuum from rows while the online script runs.
  const prepareOnline = async (tx: Database) => {
    await setLockTimeout(tx, lockTimeout)
    // Other connections note beside it how far their batches are.
    await ensureLedger(tx, project)
    if (run.isDue(await readLedger(tx, project))) guard = await prepareGuard(tx)
  }
  const runAll = async () => {
    if (online) await retryOnLockTimeout(options, () => withMigrationLock(db, options, prepareOnline))
    return await retryOnLockTimeout(options, attempt, () => waitForAutovacuum(db, text))
  }
  const isDone = await runAll().catch(cause => {
    if (cause instanceof MigrationError || pgErrorOf(cause).code === undefined) throw cause
    const state = isCommitting ? 'It may have been committed, or not.' : rolledBack[run.way]
    throw failed(name, [state], cause, project.hintFor)
  })
  if (!isDone) return undefined
  const milliseconds = Math.round(performance.now() - started)
  options.onDone?.(name, milliseconds)
  return { name, milliseconds }
}

/** Runs a script in the transaction; a connection to spare is asked who blocks it. */
async function runScript(
  db: Database,
  tx: Database,
  project: Project,
  script: Script,
  lockTimeout: number,
): Promise<void> {
  const pid = await readPid(tx)
  for (const statement of script.statements) {
    const watch = connectionsOf(db) > 1 ? watchForBlockers(db, pid, lockTimeout * 0.4) : undefined
    try {
      await execute(tx, sql.raw(statement.sql))
    } catch (cause) {
      const blockers = isLockFailure(cause) ? await watch?.blockers() : []
      throw statementFailed(project, script, statement, cause, blockers)
    } finally {
      watch?.stop()
    }
  }
}
