import type { Database } from '../database.ts'
import { readMigrations } from './files.ts'
import { readLedger } from './ledger.ts'
import type { Project } from './project.ts'
import { findEdited } from './verify.ts'

export interface MigrationStatus {
  applied: { name: string; appliedAt: string | null }[]
  /** In the folder, not in the database. */
  pending: string[]
  /** In the database, not in the folder. */
  unknown: string[]
  /** Scripts of applied migrations that were edited or removed since: `20260101000000_name/down.sql`. */
  edited: string[]
}

/** Says which migrations a database has; reads only. */
export async function status(db: Database, project: Project): Promise<MigrationStatus> {
  const migrations = readMigrations(project.folder)
  const ledger = await readLedger(db, project)
  const files = new Set(migrations.map(({ name }) => name))
  const known = ledger.filter(({ name }) => files.has(name))
  return {
    applied: known.map(({ name, appliedAt }) => ({ name, appliedAt })),
    pending: [...files].filter(name => !ledger.some(entry => entry.name === name)),
    unknown: ledger.filter(entry => !known.includes(entry)).map(({ name }) => name),
    edited: findEdited(migrations, ledger).map(({ file }) => file),
  }
}
