import { MigrationError } from './error.ts'
import type { Migration } from './files.ts'
import type { LedgerEntry } from './ledger.ts'

/**
 * Compares what is applied with the files.
 *
 * @throws MigrationError `EDITED`, `MISSING`, `UNKNOWN`, `OUT_OF_ORDER`, naming the migrations
 */
export function verify(migrations: Migration[], ledger: LedgerEntry[]): void {
  const files = new Map(migrations.map(migration => [migration.name, migration]))
  const applied = new Set(ledger.map(entry => entry.name))
  const lastFile = migrations.at(-1)?.name ?? ''
  const lastApplied = migrations.findLast(migration => applied.has(migration.name))?.name ?? ''
  const strangers = ledger.map(entry => entry.name).filter(name => !files.has(name))

  refuse(
    'UNKNOWN',
    strangers.filter(name => name > lastFile),
    'applied, but newer than every migration here. Use a version of the package that has it',
  )
  refuse(
    'MISSING',
    strangers.filter(name => name <= lastFile),
    'applied, but its folder is gone. Bring it back from version control',
  )
  refuse(
    'EDITED',
    editedEntries(migrations, ledger),
    'applied, but its migration.sql has been edited since. Undo the edit, or accept it with `agents-db repair`',
  )
  refuse(
    'OUT_OF_ORDER',
    migrations.map(migration => migration.name).filter(name => !applied.has(name) && name < lastApplied),
    `not applied, but sorts before ${lastApplied}, which is. Give it a later timestamp`,
  )
}

/** The names of the applied migrations whose `migration.sql` is not what was applied; line endings do not count. */
export function editedEntries(migrations: Migration[], ledger: LedgerEntry[]): string[] {
  return ledger
    .filter(({ name, hash }) => {
      const file = migrations.find(migration => migration.name === name)
      return file !== undefined && !file.sameHashes.includes(hash)
    })
    .map(({ name }) => name)
}

function refuse(
  code: 'EDITED' | 'MISSING' | 'UNKNOWN' | 'OUT_OF_ORDER',
  names: string[],
  reason: string,
): void {
  if (names.length === 0) return
  throw new MigrationError(code, `${names.join(', ')}: ${reason}. Nothing was run.`)
}
