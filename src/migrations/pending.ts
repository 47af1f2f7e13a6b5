import type { Database } from '../database.ts'
import { type Migration, packagedMigrations, readMigrations } from './files.ts'
import { readLedger } from './ledger.ts'
import { findByName } from './name.ts'
import { refuseTransactionControl } from './transaction-control.ts'
import { verify } from './verify.ts'

export interface Target {
  /** The folder of migrations; the package's own unless given. */
  folder?: string
  /** Stop after the migration of this name. */
  to?: string
}

/**
 * What there is to do, once what is applied has been compared with the files.
 *
 * @throws MigrationError from `verify`, `TRANSACTION_CONTROL`, `UNKNOWN_NAME`
 */
export async function findPending(
  db: Database,
  { folder = packagedMigrations(), to }: Target,
): Promise<{ all: Migration[]; wanted: Migration[]; pending: Migration[]; beyond: string[] }> {
  const all = readMigrations(folder)
  const wanted = to === undefined ? all : all.slice(0, all.indexOf(findByName(all, to)) + 1)
  const ledger = await readLedger(db)
  verify(all, ledger)
  const applied = new Set(ledger.map(entry => entry.name))
  const pending = wanted.filter(migration => !applied.has(migration.name))
  for (const migration of pending) refuseTransactionControl(migration, migration.up)
  const beyond = all.slice(wanted.length).flatMap(({ name }) => (applied.has(name) ? [name] : []))
  return { all, wanted, pending, beyond }
}
