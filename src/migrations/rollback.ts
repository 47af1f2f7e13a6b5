import type { Database } from '../database.ts'
import { MigrationError } from './error.ts'
import { type Migration, packagedMigrations, readMigrations, type Statement } from './files.ts'
import { readLedger, strike } from './ledger.ts'
import { findByName } from './name.ts'
import { takeStep } from './step.ts'

export interface RollbackOptions {
  /** The folder of migrations; the package's own unless given. */
  folder?: string
  /** Undo everything after the migration of this name; without it, the last migration alone. */
  to?: string
  /** Called before each step. */
  onStep?: (name: string) => void
}

export interface RollbackReport {
  /** The migrations undone by this call, the latest first, and how long each took. */
  undone: { name: string; milliseconds: number }[]
}

/**
 * Undoes the last migration, or all after a named one, each in a transaction of its own, the latest first.
 *
 * @throws MigrationError with the code and the place; a step that cannot bring every row back stops
 *   and names the table and the count, and later migrations stay undone
 */
export async function rollback(db: Database, options: RollbackOptions = {}): Promise<RollbackReport> {
  const steps = planRollback(
    readMigrations(options.folder ?? packagedMigrations()),
    (await readLedger(db)).map(entry => entry.name),
    options.to,
  )
  const report: RollbackReport = { undone: [] }
  for (const { migration, down } of steps) {
    options.onStep?.(migration.name)
    const started = performance.now()
    const done = await takeStep(db, {
      migration,
      file: 'down.sql',
      statements: down,
      due: ledger => ledger.has(migration.name),
      settle: strike,
    })
    if (done) report.undone.push({ name: migration.name, milliseconds: performance.now() - started })
  }
  return report
}

function planRollback(
  migrations: Migration[],
  applied: string[],
  to: string | undefined,
): { migration: Migration; down: Statement[] }[] {
  const present = applied.map(name => {
    const migration = migrations.find(m => m.name === name)
    if (migration) return migration
    throw new MigrationError(
      'MISSING_MIGRATION',
      `${name} is applied, but its folder is not here: check out the version it came with, and roll back with that`,
    )
  })
  const keep = to === undefined ? present.length - 1 : present.indexOf(findByName(present, to)) + 1
  return present
    .slice(Math.max(keep, 0))
    .reverse()
    .map(migration => {
      if (migration.down) return { migration, down: migration.down }
      throw new MigrationError('NO_WAY_BACK', `${migration.name} has no down.sql; nothing was rolled back`)
    })
}
