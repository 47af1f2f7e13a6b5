import type { Database } from '../database.ts'
import { readMigrations } from './files.ts'
import { readLedger } from './ledger.ts'
import { findByName } from './name.ts'
import { refuseTransactionControl } from './parse.ts'
import type { Project } from './project.ts'
import { verify } from './verify.ts'

/**
 * Finds what there is to apply, after comparing what is applied with the files.
 *
 * @param to the last migration wanted
 * @returns every migration of the folder, those up to `to`, the ones of these that are not applied, and the names of applied
 *   migrations after `to`
 * @throws MigrationError from `verify`, `TRANSACTION_CONTROL`, `UNKNOWN_NAME`
 */
export async function findPending(db: Database, project: Project, to: string | undefined) {
  const all = readMigrations(project.folder)
  const wanted = to === undefined ? all : all.slice(0, all.indexOf(findByName(all, to)) + 1)
  const ledger = await readLedger(db, project)
  verify(all, ledger)
  const applied = new Set(ledger.map(entry => entry.name))
  const pending = wanted.filter(migration => !applied.has(migration.name))
  for (const migration of pending) await refuseTransactionControl(migration.up)
  const beyond = all.slice(wanted.length).flatMap(({ name }) => (applied.has(name) ? [name] : []))
  return { all, wanted, pending, beyond }
}
