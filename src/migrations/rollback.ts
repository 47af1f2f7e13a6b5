import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, transaction } from '../query.ts'
import { MigrationError } from './error.ts'
import { type Migration, packagedMigrations, readMigrations, type Script } from './files.ts'
import { readLedger, strike } from './ledger.ts'
import { findByName } from './name.ts'
import { type StepOptions, statementFailed, takeStep } from './step.ts'
import { refuseTransactionControl } from './transaction-control.ts'
import { verify } from './verify.ts'

export interface RollbackOptions extends StepOptions {
  /** The folder of migrations; the package's own unless given. */
  folder?: string
  /** Undo everything after the migration of this name; without it, the last migration alone. */
  to?: string
}

export interface RollbackReport {
  /** The migrations undone by this call, the latest first, and how long each took. */
  undone: { name: string; milliseconds: number }[]
}

/**
 * Undoes the last migration, or all after a named one, each in a transaction of its own, the latest first.
 *
 * @throws MigrationError with a code and the place. Where a row could not be brought back, that is said, with the
 *   table and the count, before anything is undone
 */
export async function rollback(db: Database, options: RollbackOptions = {}): Promise<RollbackReport> {
  const all = readMigrations(options.folder ?? packagedMigrations())
  const ledger = await readLedger(db)
  verify(all, ledger)
  const applied = all.filter(migration => ledger.some(entry => entry.name === migration.name))
  const kept =
    options.to === undefined
      ? applied.length - 1
      : applied.indexOf(findByName(applied, options.to, 'applied migration')) + 1
  const steps = applied.slice(Math.max(kept, 0)).reverse().map(wayBack)

  for (const { migration } of steps) await check(db, migration)

  const report: RollbackReport = { undone: [] }
  for (const { migration, script } of steps) {
    options.onStep?.(migration.name)
    const started = performance.now()
    const done = await takeStep(
      db,
      {
        migration,
        script,
        check: migration.downCheck,
        online: migration.downOnline,
        due: current => {
          verify(all, current, `Of ${migration.name} nothing was run.`)
          return current.at(-1)?.name === migration.name
        },
        settle: strike,
      },
      options,
    )
    if (!done) continue
    const step = { name: migration.name, milliseconds: performance.now() - started }
    report.undone.push(step)
    options.onDone?.(step.name, step.milliseconds)
  }
  return report
}

function wayBack(migration: Migration): { migration: Migration; script: Script } {
  const { name, down } = migration
  if (down === undefined)
    throw new MigrationError(
      'NO_WAY_BACK',
      `${name} has no down.sql. Nothing was rolled back. Write it beside its migration.sql, and roll back again.`,
    )
  refuseTransactionControl(migration, down)
  return { migration, script: down }
}

/** What stands in the way of one step must be known before the first one is taken. */
async function check(db: Database, migration: Migration): Promise<void> {
  const { downCheck } = migration
  if (downCheck === undefined) return
  await transaction(
    db,
    async tx => {
      for (const statement of downCheck.statements) {
        await execute(tx, sql.raw(statement.sql)).catch(cause => {
          throw statementFailed({ migration }, downCheck, statement, cause)
        })
      }
    },
    { accessMode: 'read only' },
  )
}
