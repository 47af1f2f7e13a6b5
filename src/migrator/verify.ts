import { MigrationError } from './error.ts'
import { hashesBeside, type Migration } from './files.ts'
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
      findEdited(migrations, ledger).map(({ file }) => file),
      'applied, but edited or removed since. Undo that, or accept it with `agents-db repair`',
    ),
    ...problem(
      'OUT_OF_ORDER',
      [...files].filter(name => !applied.has(name) && name < lastApplied),
      `not applied, but sorts before ${lastApplied}, which is. Give it a later timestamp`,
    ),
  ]
}

/** A script of an applied migration that is not what it was when that was applied. */
export interface Edited {
  /** The migration's name and the script's. */
  file: string
  /** SHA-256 in the ledger. */
  recorded: string
  /** SHA-256 of the file as it is now; null where it is gone. */
  now: string | null
}

/** The edited scripts of applied migrations; line endings do not count. */
export function findEdited(migrations: Migration[], ledger: LedgerEntry[]): Edited[] {
  return ledger.flatMap(({ name, hash, scripts }) => {
    const migration = migrations.find(migration => migration.name === name)
    if (!migration) return []
    const isSame = migration.sameHashes.includes(hash)
    const now = hashesBeside(migration)
    return [
      ...(isSame ? [] : [{ file: `${name}/migration.sql`, recorded: hash, now: migration.hash }]),
      ...Object.entries(scripts)
        .filter(([file, recorded]) => now[file] !== recorded)
        .map(([file, recorded]) => ({ file: `${name}/${file}`, recorded, now: now[file] ?? null })),
    ]
  })
}
