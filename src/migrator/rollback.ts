import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, transaction } from '../query.ts'
import { MigrationError } from './error.ts'
import { statementFailed } from './failure.ts'
import { type Migration, readMigrations, type Script } from './files.ts'
import { deleteEntry, type LedgerEntry, readLedger } from './ledger.ts'
import { findByName } from './name.ts'
import { refuseTransactionControl } from './parse.ts'
import type { Project } from './project.ts'
import { type Ran, type RunOptions, runMigration } from './run.ts'
import { verify } from './verify.ts'

export interface RollbackOptions extends RunOptions {
  /** Undo everything after the migration of this name; without it, the last migration alone. */
  to?: string
}

export interface RollbackReport {
  /** The migrations undone by this call, the latest first. */
  undone: Ran[]
}

/**
 * Undoes the last migration, or all after a named one, each in a transaction of its own, the latest first.
 *
 * @throws MigrationError with a code and the place. Where a row could not be brought back, that is said, with the
 *   table and the count, before anything is undone
 */
export async function rollback(
  db: Database,
  project: Project,
  options: RollbackOptions = {},
): Promise<RollbackReport> {
  const all = readMigrations(project.folder)
  const ledger = await readLedger(db, project)
  verify(all, ledger)
  const applied = all.filter(migration => ledger.some(entry => entry.name === migration.name))
  const kept =
    options.to === undefined
      ? applied.length - 1
      : applied.indexOf(findByName(applied, options.to, 'applied migration')) + 1
  const unwanted = applied.slice(Math.max(kept, 0)).reverse()
  const scripts = new Map(await Promise.all(unwanted.map(async m => [m, await downScript(m)] as const)))

  // Whatever prevents one of them must be known before the first is undone.
  for (const migration of unwanted) await runCheck(db, project, migration)

  const undone: Ran[] = []
  for (const [migration, script] of scripts) {
    const run = {
      migration,
      script,
      check: migration.downCheck,
      online: migration.downOnline,
      isPending: (current: LedgerEntry[]) => {
        verify(all, current, `Nothing of ${migration.name} was run.`)
        return current.at(-1)?.name === migration.name
      },
      finish: (tx: Database) => deleteEntry(tx, project, migration),
    }
    const ran = await runMigration(db, project, run, options)
    if (ran) undone.push(ran)
  }
  return { undone }
}

async function downScript(migration: Migration): Promise<Script> {
  const { name, down } = migration
  if (down === undefined) {
    throw new MigrationError(
      'IRREVERSIBLE',
      `${name} is irreversible: it has no down.sql. Nothing was rolled back. Write one beside its migration.sql, and roll back again.`,
    )
  }
  await refuseTransactionControl(migration, down)
  return down
}

async function runCheck(db: Database, project: Project, migration: Migration): Promise<void> {
  const { downCheck } = migration
  if (downCheck === undefined) return
  await transaction(
    db,
    async tx => {
      for (const statement of downCheck.statements) {
        await execute(tx, sql.raw(statement.sql)).catch(cause => {
          throw statementFailed(project, migration, downCheck, statement, cause)
        })
      }
    },
    { accessMode: 'read only' },
  )
}
