import type { Database } from '../database.ts'
import { readMigrations } from './files.ts'
import { readLedger, updateHash } from './ledger.ts'
import { withMigrationLock } from './lock.ts'
import type { Project } from './project.ts'
import { editedEntries } from './verify.ts'

/** An applied migration whose `migration.sql` is no longer what was applied. */
export interface Edited {
  name: string
  /** SHA-256 in the ledger. */
  recorded: string
  /** SHA-256 of the file as it is now. */
  file: string
}

/**
 * Accepts edited files: the ledger takes the hashes that they have now. Runs nothing of them.
 *
 * @returns what was accepted, or with `dryRun` would be
 */
export async function repair(
  db: Database,
  project: Project,
  options: { dryRun?: boolean } = {},
): Promise<Edited[]> {
  const migrations = readMigrations(project.folder)
  const find = async (tx: Database): Promise<Edited[]> => {
    const ledger = await readLedger(tx, project)
    return editedEntries(migrations, ledger).map(name => ({
      name,
      recorded: ledger.find(entry => entry.name === name)?.hash ?? '',
      file: migrations.find(migration => migration.name === name)?.hash ?? '',
    }))
  }
  if (options.dryRun) return await find(db)
  return await withMigrationLock(db, async tx => {
    const edited = await find(tx)
    for (const { name, file } of edited) await updateHash(tx, project, name, file)
    return edited
  })
}
