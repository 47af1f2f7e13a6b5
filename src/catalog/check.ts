import type { Database } from '../database.ts'
import { packagedMigrations, readMigrations } from '../migrations/files.ts'
import { readLedger } from '../migrations/ledger.ts'
import { findProblems, type LedgerProblem } from '../migrations/verify.ts'
import { type Probe, probe } from '../probes/probe.ts'
import { compare, type Difference } from './compare.ts'
import { catalogAt, namesIn, readCatalogs } from './files.ts'
import { type Catalog, readCatalog } from './read.ts'

export interface CheckReport {
  /** The last applied migration: what the database is compared with; null where none is applied. */
  at: string | null
  pending: string[]
  /** Where the ledger and the files disagree. */
  ledger: LedgerProblem[]
  /** Where PostgreSQL's catalogs and the migration's `catalog.json` disagree. */
  differences: Difference[]
  /** What was tried, and what came of it. */
  probes: Probe[]
}

/**
 * Says whether a database is what its migrations say: compares the ledger with the files and PostgreSQL's catalogs
 * with `catalog.json`, then tries a sign-up, and every verb as a client, in a transaction that is rolled back.
 * Writes nothing. Where the role may not try, the probe says so.
 */
export async function check(db: Database, options: { folder?: string } = {}): Promise<CheckReport> {
  const folder = options.folder ?? packagedMigrations()
  const migrations = readMigrations(folder)
  const catalogs = readCatalogs(folder)
  for (let ledger = await readLedger(db); ; ) {
    const applied = new Set(ledger.map(({ name }) => name))
    const at = migrations.findLast(({ name }) => applied.has(name))?.name ?? null
    const known = at === null ? undefined : catalogAt(catalogs, at)
    const report: CheckReport = {
      at,
      pending: migrations.map(({ name }) => name).filter(name => !applied.has(name)),
      ledger: [...findProblems(migrations, ledger), ...findUncompared(at, catalogs)],
      differences: at === null ? [] : await findDrift(db, at, catalogs),
      probes: known === undefined ? [] : await probe(db, known),
    }
    if (!hasDrift(report)) return report
    // A migrator may have been at work meanwhile; then it was compared with what had been.
    const now = await readLedger(db)
    if (now.length === ledger.length && now.at(-1)?.name === ledger.at(-1)?.name) return report
    ledger = now
  }
}

/** A migration that was made without its `catalog.json`, in a folder where the others have theirs. */
function findUncompared(at: string | null, catalogs: Map<string, Catalog>): LedgerProblem[] {
  if (at === null || catalogs.size === 0 || catalogs.has(at)) return []
  const message = `${at}: applied, but it has no catalog.json, so that nothing was compared with it. \`pnpm catalogs\` writes it`
  return [{ code: 'NO_CATALOG', names: [at], message }]
}

/** Whether anything of a report is not as it should be. */
export function hasDrift({ ledger, differences, probes }: CheckReport): boolean {
  return ledger.length + differences.length > 0 || probes.some(({ outcome }) => outcome === 'failed')
}

/** Reads a database and compares it. */
export async function findDrift(
  db: Database,
  at: string,
  catalogs: Map<string, Catalog>,
): Promise<Difference[]> {
  return driftOf(await readCatalog(db, namesIn(catalogs.values())), at, catalogs)
}

/** The differences that nobody meant: an archive that was ended, or kept on the way down, is none. */
export function driftOf(found: Catalog, at: string, catalogs: Map<string, Catalog>): Difference[] {
  const names = [...catalogs.keys()]
  const [before, expected, after] = [-1, 0, 1].map(step =>
    catalogs.get(names[names.indexOf(at) + step] ?? ''),
  )
  if (!expected) return []
  const should = { ...expected }
  const copies = copiesIn(expected)
  if (!copies.some(copy => copy in found)) for (const copy of copies) delete should[copy]
  for (const object of ['schema archive', 'table archive.system_agents']) {
    const kept = [...catalogs.values()].findLast(catalog => object in catalog)?.[object]
    if (object in found && kept) should[object] ??= kept
  }
  return compare(should, found).filter(
    difference => !isBegun(difference, before) && !isBegun(difference, after),
  )
}

/** What `archive drop` drops; nothing as long as triggers keep it current. */
function copiesIn(catalog: Catalog): string[] {
  const facts = Object.values(catalog).flatMap(of => Object.values(of))
  if (facts.some(is => is.includes(' EXECUTE FUNCTION archive.'))) return []
  return Object.keys(catalog).filter(object =>
    /^table archive\.(?!profile_settings$|system_agents$)/.test(object),
  )
}

/** A constraint that the online part of the next step, up or down, has made beforehand. */
function isBegun({ object, fact, expected, found }: Difference, next: Catalog | undefined): boolean {
  if (fact === null || expected !== null || !fact.startsWith('constraint ')) return false
  return next?.[object]?.[fact] === found?.replace(/ NOT VALID$/, '')
}
