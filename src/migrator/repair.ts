import type { Database } from '../database.ts'
import { readMigrations } from './files.ts'
import { readLedger, updateEntry } from './ledger.ts'
import { type LockOptions, withMigrationLock } from './lock.ts'
import type { Project } from './project.ts'
import { type Edited, findEdited } from './verify.ts'

/**
 * Accepts edited scripts: the ledger takes the hashes that they have now. Runs nothing of them.
 *
 * @returns what was accepted, or with `dryRun` would be
 */
export async function repair(
  db: Database,
  project: Project,
  options: { dryRun?: boolean } & Pick<LockOptions, 'onWait'> = {},
): Promise<Edited[]> {
  const migrations = readMigrations(project.folder)
  const find = async (tx: Database) => findEdited(migrations, await readLedger(tx, project))
  if (options.dryRun) return await find(db)
  return await withMigrationLock(db, options, async tx => {
    const edited = await find(tx)
    for (const migration of migrations) {
      const isEdited = edited.some(({ file }) => file.startsWith(`${migration.name}/`))
      if (isEdited) await updateEntry(tx, project, migration)
    }
    return edited
  })
}
