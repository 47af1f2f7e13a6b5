import type { Database } from '../database.ts'
import { type Migration, packagedMigrations, readMigrations } from './files.ts'
import { readLedger, record } from './ledger.ts'
import { findByName } from './name.ts'
import { takeStep } from './step.ts'

export interface MigrateOptions {
  /** The folder of migrations; the package's own unless given. */
  folder?: string
  /** Stop after the migration of this name. */
  to?: string
  /** Called before each step. */
  onStep?: (name: string) => void
}

export interface MigrateReport {
  /** The migrations applied by this call, in order, and how long each took. */
  applied: { name: string; milliseconds: number }[]
  /** How many the database had before, or received from another migrator meanwhile. */
  already: number
}

/**
 * Brings a database up to date: each pending migration in a transaction of its own, one migrator at a time,
 * recorded in drizzle's ledger exactly as `drizzle-kit migrate` does.
 *
 * @throws MigrationError with the code and the place; migrations before the failing one stay applied
 */
export async function migrate(db: Database, options: MigrateOptions = {}): Promise<MigrateReport> {
  const migrations = upTo(readMigrations(options.folder ?? packagedMigrations()), options.to)
  const applied = new Set((await readLedger(db)).map(entry => entry.name))
  const report: MigrateReport = { applied: [], already: 0 }

  for (const migration of migrations) {
    if (applied.has(migration.name)) {
      report.already += 1
      continue
    }
    options.onStep?.(migration.name)
    const started = performance.now()
    const done = await takeStep(db, {
      migration,
      file: 'migration.sql',
      statements: migration.up,
      due: ledger => !ledger.has(migration.name),
      settle: record,
    })
    if (done) report.applied.push({ name: migration.name, milliseconds: performance.now() - started })
    else report.already += 1
  }
  return report
}

function upTo(migrations: Migration[], name: string | undefined): Migration[] {
  if (name === undefined) return migrations
  return migrations.slice(0, migrations.indexOf(findByName(migrations, name)) + 1)
}
