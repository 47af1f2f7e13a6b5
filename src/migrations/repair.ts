import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute } from '../query.ts'
import { packagedMigrations, readMigrations } from './files.ts'
import { readLedger } from './ledger.ts'
import { inTurn } from './lock.ts'
import { editedEntries } from './verify.ts'

/** An applied migration whose `migration.sql` is no longer what was applied. */
export interface Edited {
  name: string
  /** SHA-256 that the ledger holds. */
  recorded: string
  /** SHA-256 of the file as it is now. */
  file: string
}

/**
 * Accepts edited files: the ledger takes the hashes they have now. What they say is not run.
 *
 * @returns what was, or with `dryRun` would be, accepted
 */
export async function repair(
  db: Database,
  options: { folder?: string; dryRun?: boolean } = {},
): Promise<Edited[]> {
  const migrations = readMigrations(options.folder ?? packagedMigrations())
  const find = async (tx: Database): Promise<Edited[]> => {
    const ledger = await readLedger(tx)
    return editedEntries(migrations, ledger).map(name => ({
      name,
      recorded: ledger.find(entry => entry.name === name)?.hash ?? '',
      file: migrations.find(migration => migration.name === name)?.hash ?? '',
    }))
  }
  if (options.dryRun) return await find(db)
  return await inTurn(db, async tx => {
    const edited = await find(tx)
    for (const { name, file } of edited) {
      await execute(tx, sql`update drizzle.__drizzle_migrations set hash = ${file} where name = ${name}`)
    }
    return edited
  })
}
