import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { readSettled } from '../pg-error.ts'
import { execute, transaction } from '../query.ts'
import { MigrationError } from './error.ts'
import { beforeAnything, statementFailed } from './failure.ts'
import { readMigrations, type Script } from './files.ts'
import { deleteEntry, type LedgerEntry, readLedger } from './ledger.ts'
import { findByName } from './name.ts'
import { refuseTransactionControl } from './parse.ts'
import { type PreflightOptions, preflight } from './preflight.ts'
import type { Project } from './project.ts'
import { type CompletedRun, type RunOptions, runMigration } from './run.ts'
import { verify } from './verify.ts'

export interface RollbackOptions extends RunOptions, PreflightOptions {
  /** Undo everything after the migration of this name; without it, the last migration alone. */
  to?: string
}

export interface RollbackReport {
  /** The migrations undone by this call, the latest first. */
  undone: CompletedRun[]
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
  const { all, applied, toUndo } = await beforeAnything(() => prepare(db, project, options))
  const undone: CompletedRun[] = []
  for (const migration of toUndo) {
    const { name } = migration
    const run = {
      migration,
      way: 'down' as const,
      from: name,
      at: applied[applied.indexOf(migration) - 1]?.name,
      online: migration.downOnline,
      scripts: [migration.downCheck, migration.down],
      isDue: (current: LedgerEntry[]) => {
        verify(all, current, `Nothing of ${name} was run.`)
        const last = current.at(-1)?.name
        if (last === name || !current.some(entry => entry.name === name)) return last === name
        throw new MigrationError(
          'BUSY',
          `${last} was applied meanwhile: roll that back first. ${name} was not undone.`,
        )
      },
      updateLedger: (tx: Database) => deleteEntry(tx, project, migration),
    }
    const completed = await runMigration(db, project, run, options)
    if (completed) undone.push(completed)
  }
  return { undone }
}

/** Finds what there is to undo. Whatever prevents one of them must be known before the first is undone. */
async function prepare(db: Database, project: Project, options: RollbackOptions) {
  const all = readMigrations(project.folder)
  const ledger = await readLedger(db, project)
  verify(all, ledger)
  const applied = all.filter(migration => ledger.some(entry => entry.name === migration.name))
  const kept =
    options.to === undefined
      ? applied.length - 1
      : applied.indexOf(findByName(applied, options.to, 'applied migration')) + 1
  const toUndo = applied.slice(Math.max(kept, 0)).reverse()
  for (const { name, down, downCheck } of toUndo) {
    if (!down) {
      throw new MigrationError(
        'IRREVERSIBLE',
        `${name} is irreversible: it has no down.sql. Nothing was rolled back. Write one beside its migration.sql, and roll back again.`,
      )
    }
    for (const script of [down, downCheck]) if (script) await refuseTransactionControl(script)
  }
  await preflight(db, project, 'down', toUndo, options)
  for (const { downCheck } of toUndo) if (downCheck) await runCheck(db, project, downCheck)
  return { all, applied, toUndo }
}

async function runCheck(db: Database, project: Project, check: Script): Promise<void> {
  const work = async (tx: Database) => {
    for (const statement of check.statements) {
      await execute(tx, sql.raw(statement.sql)).catch(cause => {
        throw statementFailed(project, check, statement, cause)
      })
    }
  }
  await readSettled(() => transaction(db, work, { accessMode: 'read only' }))
}
