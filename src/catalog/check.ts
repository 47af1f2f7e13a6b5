import type { Database } from '../database.ts'
import { packagedMigrations, readMigrations } from '../migrations/files.ts'
import { readLedger } from '../migrations/ledger.ts'
import { findProblems, type LedgerProblem } from '../migrations/verify.ts'
import { type Probe, probe } from '../probes/probe.ts'
import { compare, type Difference } from './compare.ts'
import { namesIn, readCatalogs } from './files.ts'
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
  const ledger = await readLedger(db)
  const applied = new Set(ledger.map(({ name }) => name))
  const at = migrations.findLast(({ name }) => applied.has(name))?.name ?? null
  const catalogs = readCatalogs(folder)
  const expected = at === null ? undefined : catalogs.get(at)
  return {
    at,
    pending: migrations.map(({ name }) => name).filter(name => !applied.has(name)),
    ledger: findProblems(migrations, ledger),
    differences:
      expected === undefined
        ? []
        : findDrift(expected, catalogs, await readCatalog(db, namesIn(catalogs.values()))),
    probes: expected === undefined ? [] : await probe(db, expected),
  }
}

/** Whether anything of a report is not as it should be. */
export function hasDrift({ ledger, differences, probes }: CheckReport): boolean {
  return ledger.length + differences.length > 0 || probes.some(({ outcome }) => outcome === 'failed')
}

/** The differences that nobody meant: an archive that was ended, or kept on the way down, is none. */
function findDrift(expected: Catalog, catalogs: Map<string, Catalog>, found: Catalog): Difference[] {
  const should = { ...expected }
  const copies = ['memory_agents', 'profiles', 'user_agents'].map(name => `table archive.${name}`)
  if (copies.every(copy => !(copy in found))) for (const copy of copies) delete should[copy]

  const known = [...catalogs.values()]
  for (const object of Object.keys(found)) {
    const kept = / archive\b/.test(object) && known.findLast(catalog => object in catalog)?.[object]
    if (!(object in should) && kept) should[object] = kept
  }
  return compare(should, found).filter(difference => !isBegun(difference, known))
}

/** A constraint that the online part of the next step, up or down, has made beforehand. */
function isBegun({ object, fact, expected, found }: Difference, known: Catalog[]): boolean {
  if (fact === null || expected !== null || !fact.startsWith('constraint ')) return false
  return known.some(catalog => catalog[object]?.[fact] === found?.replace(/ NOT VALID$/, ''))
}
