import type { Database } from '../database.ts'
import { beforeAnything } from './failure.ts'
import { insertEntry, type LedgerEntry } from './ledger.ts'
import { findPending } from './pending.ts'
import { type PreflightOptions, preflight } from './preflight.ts'
import type { Project } from './project.ts'
import { type CompletedRun, type RunOptions, runMigration } from './run.ts'
import { verify } from './verify.ts'

export interface MigrateOptions extends RunOptions, PreflightOptions {
  /** Stop after the migration of this name. */
  to?: string
}

export interface MigrateReport {
  /** The migrations applied by this call, in order. */
  applied: CompletedRun[]
  /** How many the database had before, or received from another migrator meanwhile. */
  already: number
  /** The applied migrations that come after `to`; only `rollback` undoes them. */
  beyond: string[]
}

/**
 * Applies the pending migrations, each in a transaction of its own, one migrator at a time, and records them in drizzle's
 * ledger as `drizzle-kit migrate` does. Before anything runs, what is applied is compared with the files.
 *
 * @throws MigrationError with a code and the place; migrations before the failing one stay applied
 */
export async function migrate(
  db: Database,
  project: Project,
  options: MigrateOptions = {},
): Promise<MigrateReport> {
  const prepare = async () => {
    const found = await findPending(db, project, options.to)
    await preflight(db, project, 'up', found.pending, options)
    return found
  }
  const { all, wanted, pending, beyond } = await beforeAnything(prepare)
  const report: MigrateReport = { applied: [], already: wanted.length - pending.length, beyond }
  for (const migration of pending) {
    const run = {
      migration,
      way: 'up' as const,
      from: all[all.indexOf(migration) - 1]?.name,
      at: migration.name,
      online: migration.upOnline,
      scripts: [migration.up],
      isDue: (ledger: LedgerEntry[]) => {
        verify(all, ledger, `Nothing of ${migration.name} was run.`)
        return !ledger.some(entry => entry.name === migration.name)
      },
      updateLedger: (tx: Database) => insertEntry(tx, project, migration),
    }
    const completed = await runMigration(db, project, run, options)
    if (completed) report.applied.push(completed)
    else report.already += 1
  }
  return report
}
