import { MigrationError } from './error.ts'
import type { Migration } from './files.ts'
import { ANOTHER_LEDGER, type LedgerEntry } from './ledger.ts'

/** A way in which the ledger and the files disagree. `NO_CATALOG` prevents nothing; only `check` reports it. */
export interface LedgerProblem<Code = FatalCode | 'NO_CATALOG'> {
  code: Code
  /** The migrations it is about. */
  names: string[]
  message: string
}

type FatalCode = 'OTHER_PROJECT' | 'UNKNOWN' | 'MISSING' | 'EDITED' | 'OUT_OF_ORDER'
type FatalProblem = LedgerProblem<FatalCode>

/**
 * Compares what is applied with the files.
 *
 * @param consequence what became of it, for the message
 * @throws MigrationError `UNKNOWN`, `MISSING`, `EDITED`, `OUT_OF_ORDER`, naming the migrations
 */
export function verify(
  migrations: Migration[],
  ledger: LedgerEntry[],
  consequence = 'Nothing was run.',
): void {
  const [problem] = findProblems(migrations, ledger)
  if (problem) throw new MigrationError(problem.code, `${problem.message}. ${consequence}`)
}

/** All the ways in which they disagree, in the order in which to solve them. */
export function findProblems(migrations: Migration[], ledger: LedgerEntry[]): FatalProblem[] {
  const files = new Set(migrations.map(migration => migration.name))
  const applied = new Set(ledger.map(entry => entry.name))
  const lastFile = migrations.at(-1)?.name ?? ''
  const lastApplied = migrations.findLast(migration => applied.has(migration.name))?.name ?? ''
  const strangers = ledger.map(entry => entry.name).filter(name => !files.has(name))

  const problem = (code: FatalProblem['code'], names: string[], reason: string): FatalProblem[] =>
    names.length > 0 ? [{ code, names, message: `${names.join(', ')}: ${reason}` }] : []
  if (strangers.length > 0 && lastApplied === '')
    return problem(
      'OTHER_PROJECT',
      strangers,
      `applied, and none of the migrations here is. ${ANOTHER_LEDGER}`,
    )
  return [
    ...problem(
      'UNKNOWN',
      strangers.filter(name => name > lastFile),
      `applied, but newer than every migration here. Use a version of the package that has it, or restore its folder. ${ANOTHER_LEDGER}`,
    ),
    ...problem(
      'MISSING',
      strangers.filter(name => name <= lastFile),
      `applied, but its folder is gone. Restore it from version control. ${ANOTHER_LEDGER}`,
    ),
    ...problem(
      'EDITED',
      editedEntries(migrations, ledger),
      'applied, but its migration.sql has been edited since. Undo the edit, or accept it with `agents-db repair`',
    ),
    ...problem(
      'OUT_OF_ORDER',
      [...files].filter(name => !applied.has(name) && name < lastApplied),
      `not applied, but sorts before ${lastApplied}, which is. Give it a later timestamp`,
    ),
  ]
}

/** The applied migrations whose `migration.sql` is not what was applied; line endings do not count. */
export function editedEntries(migrations: Migration[], ledger: LedgerEntry[]): string[] {
  return ledger
    .filter(({ name, hash }) => {
      const file = migrations.find(migration => migration.name === name)
      return file !== undefined && !file.sameHashes.includes(hash)
    })
    .map(({ name }) => name)
}
