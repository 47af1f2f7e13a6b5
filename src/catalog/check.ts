import { isDeepStrictEqual } from 'node:util'
import type { Database } from '../database.ts'
import { readMigrations } from '../migrator/files.ts'
import { ledgerName, readLedger } from '../migrator/ledger.ts'
import { findProblems, type LedgerProblem } from '../migrator/verify.ts'
import { readSettled } from '../pg-error.ts'
import { type Drift, separate } from './accepted.ts'
import { compare, type Difference } from './compare.ts'
import { catalogAt, namesIn, readCatalogs } from './files.ts'
import type { CatalogProject, Probe } from './project.ts'
import { type Catalog, readCatalog } from './read.ts'

export interface CheckReport extends Drift {
  /** The last applied migration: what the database is compared with; null where none is applied. */
  at: string | null
  pending: string[]
  /** How the ledger and the files disagree. */
  ledger: LedgerProblem[]
  /** What was tried, and what came of it. */
  probes: Probe[]
}

/**
 * Checks whether a database is what its migrations say: compares the ledger with the files and PostgreSQL's catalogs with
 * `catalog.json`, then runs the project's probes. Leaves nothing behind.
 */
export async function check(db: Database, project: CatalogProject): Promise<CheckReport> {
  const migrations = readMigrations(project.folder)
  const catalogs = readCatalogs(project.folder)
  for (let ledger = await readLedger(db, project); ; ) {
    const applied = new Set(ledger.map(({ name }) => name))
    const at = migrations.findLast(({ name }) => applied.has(name))?.name ?? null
    const known = at === null ? undefined : catalogAt(catalogs, at)
    const find = async () =>
      at === null ? separate(project, []) : await findDrift(db, project, at, catalogs)
    const probe = async () => (known && (await project.probe?.(db, known))) ?? []
    const report: CheckReport = {
      at,
      pending: migrations.map(({ name }) => name).filter(name => !applied.has(name)),
      ledger: [...findProblems(migrations, ledger), ...findUncompared(at, catalogs)],
      // Beside a migration, what is being read may be dropped.
      ...(await readSettled(find)),
      probes: await readSettled(probe),
    }
    if (!hasDrift(report)) return report
    // Another process may have migrated in the meantime, there and back even: then compare again.
    const now = await readLedger(db, project)
    if (isDeepStrictEqual(now, ledger)) return report
    ledger = now
  }
}

/** A migration without `catalog.json`, in a folder where others have theirs. */
function findUncompared(at: string | null, catalogs: Map<string, Catalog>): LedgerProblem[] {
  if (at === null || catalogs.size === 0 || catalogs.has(at)) return []
  const message = `${at}: applied, but it has no catalog.json to compare with. \`pnpm catalogs\` writes it`
  return [{ code: 'NO_CATALOG', names: [at], message }]
}

/** Whether anything of a report is not as it should be. */
export function hasDrift({ ledger, differences, probes }: CheckReport): boolean {
  return ledger.length + differences.length > 0 || probes.some(({ outcome }) => outcome === 'failed')
}

/** Reads a database and compares it with a migration's catalog. */
export async function findDrift(
  db: Database,
  project: CatalogProject,
  at: string,
  catalogs: Map<string, Catalog>,
): Promise<Drift> {
  return driftOf(project, await readProject(db, project, catalogs), at, catalogs)
}

/** Reads what any of these catalogs names, and the ledger, which is a table of others to the migrations. */
export async function readProject(
  db: Database,
  { scope, ...project }: CatalogProject,
  catalogs: Map<string, Catalog>,
): Promise<Catalog> {
  const externalTables = [...scope.externalTables, ledgerName(project)]
  return await readCatalog(db, { ...scope, externalTables }, namesIn(catalogs.values(), scope))
}

/** Every difference, except those that the project allows and constraints that an adjacent online script has created. */
export function driftOf(
  project: CatalogProject,
  found: Catalog,
  at: string,
  catalogs: Map<string, Catalog>,
): Drift {
  const names = [...catalogs.keys()]
  const [before, exact, after] = [-1, 0, 1].map(offset =>
    catalogs.get(names[names.indexOf(at) + offset] ?? ''),
  )
  if (!exact) return separate(project, [])
  const expected = project.expectedCatalog?.(exact, found, [...catalogs.values()]) ?? exact
  const differences = compare({ ...expected, [`table ${ledgerName(project)}`]: {} }, found).filter(
    difference => !isCreatedEarly(difference, before) && !isCreatedEarly(difference, after),
  )
  return separate(project, differences)
}

/** A constraint that the online script of the next migration, up or down, has made beforehand. */
function isCreatedEarly({ object, fact, expected, found }: Difference, next: Catalog | undefined): boolean {
  if (fact === null || expected !== null || !fact.startsWith('constraint ')) return false
  return next?.[object]?.[fact] === found?.replace(/ NOT VALID$/, '')
}
