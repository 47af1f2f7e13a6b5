import type { Database } from '../database.ts'
import { readMigrations } from './files.ts'
import { readLedger } from './ledger.ts'
import type { Project } from './project.ts'
import { editedEntries } from './verify.ts'

export interface MigrationStatus {
  applied: { name: string; appliedAt: string | null }[]
  /** In the folder, not in the database. */
  pending: string[]
  /** In the database, not in the folder. */
  unknown: string[]
  /** Applied, but with another `migration.sql` than is in the folder now. */
  edited: string[]
}

/** Says which migrations a database has; reads only. */
export async function status(db: Database, project: Project): Promise<MigrationStatus> {
  const migrations = readMigrations(project.folder)
  const names = migrations.map(m => m.name)
  const ledger = await readLedger(db, project)
  const applied = new Set(ledger.map(entry => entry.name))
  return {
    applied: ledger
      .filter(entry => names.includes(entry.name))
      .map(({ name, appliedAt }) => ({ name, appliedAt })),
    pending: names.filter(name => !applied.has(name)),
    unknown: [...applied].filter(name => !names.includes(name)),
    edited: editedEntries(migrations, ledger),
  }
}
