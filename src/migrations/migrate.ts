import { catalogAt, readCatalogs } from '../catalog/files.ts'
import type { Database } from '../database.ts'
import type { Probe } from '../probes/probe.ts'
import { requireProbes } from '../probes/require.ts'
import { packagedMigrations } from './files.ts'
import { record } from './ledger.ts'
import { findPending, type Target } from './pending.ts'
import { type StepOptions, takeStep } from './step.ts'
import { verify } from './verify.ts'

export interface MigrateOptions extends Target, StepOptions {}

export interface MigrateReport {
  /** The migrations applied by this call, in order, and how long each took. */
  applied: { name: string; milliseconds: number }[]
  /** How many the database had before, or received from another migrator meanwhile. */
  already: number
  /** The applied migrations that come after `to`; they stay, for only `rollback` undoes any. */
  beyond: string[]
  /** What was tried before the last step was committed; nothing where no migration has a `catalog.json`. */
  probes: Probe[]
}

/**
 * Brings a database up to date: each pending migration in a transaction of its own, one migrator at a time,
 * recorded in drizzle's ledger exactly as `drizzle-kit migrate` does.
 *
 * Before anything runs, what is applied is compared with the files. Before the last step is committed, a sign-up and
 * every verb as a client are tried in its transaction: a step that breaks them is rolled back.
 *
 * @throws MigrationError with a code and the place; migrations before the failing one stay applied
 */
export async function migrate(db: Database, options: MigrateOptions = {}): Promise<MigrateReport> {
  const { all, wanted, pending, beyond } = await findPending(db, options)
  const report: MigrateReport = { applied: [], already: wanted.length - pending.length, beyond, probes: [] }
  const last = pending.at(-1)
  const catalog = last && catalogAt(readCatalogs(options.folder ?? packagedMigrations()), last.name)
  for (const migration of pending) {
    options.onStep?.(migration.name)
    const started = performance.now()
    const done = await takeStep(
      db,
      {
        migration,
        script: migration.up,
        online: migration.upOnline,
        due: current => {
          verify(all, current, `Of ${migration.name} nothing was run.`)
          return !current.some(entry => entry.name === migration.name)
        },
        settle: async tx => {
          if (migration === last && catalog) report.probes = await requireProbes(tx, last.name, catalog)
          await record(tx, migration)
        },
      },
      options,
    )
    if (!done) {
      report.already += 1
      continue
    }
    const step = { name: migration.name, milliseconds: performance.now() - started }
    report.applied.push(step)
    options.onDone?.(step.name, step.milliseconds)
  }
  return report
}
