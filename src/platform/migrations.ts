import { type AdoptReport, adopt as adoptWith } from '../catalog/adopt.ts'
import { type CheckReport, check as checkWith } from '../catalog/check.ts'
import type { Probe } from '../catalog/project.ts'
import type { Database } from '../database.ts'
import type { LockOptions } from '../migrator/lock.ts'
import * as engine from '../migrator/migrate.ts'
import { type Plan, planMigration as planWith } from '../migrator/plan.ts'
import { repair as repairWith } from '../migrator/repair.ts'
import { type RollbackOptions, type RollbackReport, rollback as rollbackWith } from '../migrator/rollback.ts'
import { type MigrationStatus, status as statusWith } from '../migrator/status.ts'
import type { Edited } from '../migrator/verify.ts'
import { type ProjectOptions, project } from './project.ts'

type Options<More = object> = More & ProjectOptions
type RecordOptions = { dryRun?: boolean } & Pick<LockOptions, 'onWait'>

export type MigrateOptions = Options<engine.MigrateOptions>

export interface MigrateReport extends engine.MigrateReport {
  /** What was tried before the last migration was committed; nothing where no migration has a `catalog.json`. */
  probes: Probe[]
}

/**
 * Brings a database up to date: each pending migration in a transaction of its own, one migrator at a time, recorded in
 * drizzle's ledger as `drizzle-kit migrate` does. Before anything runs, what is applied is compared with the files. Before
 * each migration is committed, a sign-up and every verb as a client are tried in its transaction.
 *
 * @throws MigrationError with a code and the place; migrations before the failing one stay applied
 */
export async function migrate(db: Database, options: MigrateOptions = {}): Promise<MigrateReport> {
  let probes: Probe[] = []
  const withProbes = project(options, passed => {
    probes = passed
  })
  const report = await engine.migrate(db, withProbes, options)
  return { ...report, probes }
}

/**
 * Undoes the last migration, or all after a named one, each in a transaction of its own, the latest first.
 *
 * @throws MigrationError with a code and the place; where a row could not be brought back, before anything is undone
 */
export async function rollback(
  db: Database,
  options: Options<RollbackOptions> = {},
): Promise<RollbackReport> {
  return await rollbackWith(db, project(options), options)
}

/** Says which migrations a database has; reads only. */
export async function status(db: Database, options: Options = {}): Promise<MigrationStatus> {
  return await statusWith(db, project(options))
}

/**
 * Says what `migrate` would run, which locks each statement takes, and what of somebody else's hangs on what will be dropped.
 * Writes nothing, and takes no lock on a table.
 *
 * @throws MigrationError as `migrate` does before anything runs
 */
export async function planMigration(db: Database, options: Options<{ to?: string }> = {}): Promise<Plan> {
  return await planWith(db, project(options), options)
}

/**
 * Checks whether a database is what its migrations say: ledger, PostgreSQL's catalogs, then a sign-up and every verb as a
 * client, in a transaction that is rolled back. Leaves nothing behind.
 */
export async function check(db: Database, options: Options = {}): Promise<CheckReport> {
  return await checkWith(db, project(options))
}

/**
 * Takes over a database that another tool, such as Alembic, has built: records the migration that it matches, and those
 * before it, as applied.
 *
 * @throws MigrationError `NOT_ADOPTABLE` with the differences from the closest migration
 */
export async function adopt(db: Database, options: Options<RecordOptions> = {}): Promise<AdoptReport> {
  return await adoptWith(db, project(options), options)
}

/** Accepts edited scripts of applied migrations; runs nothing of them. */
export async function repair(db: Database, options: Options<RecordOptions> = {}): Promise<Edited[]> {
  return await repairWith(db, project(options), options)
}
