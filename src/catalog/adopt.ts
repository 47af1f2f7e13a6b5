import type { Database } from '../database.ts'
import { MigrationError } from '../migrations/error.ts'
import { type Migration, packagedMigrations, readMigrations } from '../migrations/files.ts'
import { ensureLedger, readLedger, record } from '../migrations/ledger.ts'
import { inTurn } from '../migrations/lock.ts'
import { verify } from '../migrations/verify.ts'
import { driftOf } from './check.ts'
import { compare, type Difference } from './compare.ts'
import { namesIn, readCatalogs } from './files.ts'
import { type Catalog, readCatalog } from './read.ts'
import { findReplacement } from './replacement.ts'

export interface AdoptReport {
  /** The migration that the database is at. */
  at: string
  /** The migrations that were, or with `dryRun` would be, recorded as applied; none where the ledger had them. */
  recorded: string[]
  /** What is otherwise, and which of the pending migrations sets it anew as a whole. */
  replaced: { difference: Difference; by: string }[]
}

/**
 * Takes over a database that other means have built: finds the migration whose `catalog.json` PostgreSQL's catalogs
 * equal, and records it and those before it as applied. Runs no DDL beside making the ledger, and looks at no table
 * that is not ours.
 *
 * @throws MigrationError `NOT_ADOPTABLE` with the differences from the nearest migration
 */
export async function adopt(
  db: Database,
  options: { folder?: string; dryRun?: boolean } = {},
): Promise<AdoptReport> {
  const folder = options.folder ?? packagedMigrations()
  const migrations = readMigrations(folder)
  const catalogs = readCatalogs(folder)
  const plan = async (tx: Database): Promise<AdoptReport> => {
    const ledger = await readLedger(tx)
    const last = ledger.at(-1)
    if (last) {
      verify(migrations, ledger)
      return { at: last.name, recorded: [], replaced: [] }
    }
    const { migration, replaced } = await findMatch(tx, migrations, catalogs)
    const recorded = migrations.slice(0, migrations.indexOf(migration) + 1).map(({ name }) => name)
    return { at: migration.name, recorded, replaced }
  }
  if (options.dryRun) return await plan(db)
  return await inTurn(db, async tx => {
    const report = await plan(tx)
    await ensureLedger(tx)
    for (const migration of migrations) {
      if (report.recorded.includes(migration.name)) await record(tx, migration)
    }
    return report
  })
}

interface Match {
  migration: Migration
  replaced: AdoptReport['replaced']
  /** What no later migration would mend. */
  remaining: Difference[]
}

async function findMatch(
  db: Database,
  migrations: Migration[],
  catalogs: Map<string, Catalog>,
): Promise<Match> {
  const weigh = (migration: Migration, differences: Difference[]): Match => {
    const match: Match = { migration, replaced: [], remaining: [] }
    const later = migrations.slice(migrations.indexOf(migration) + 1)
    for (const difference of differences) {
      const by = findReplacement(difference, later)
      if (by) match.replaced.push({ difference, by })
      else match.remaining.push(difference)
    }
    return match
  }
  const found = await readCatalog(db, namesIn(catalogs.values()))
  const matches = migrations.flatMap(migration => {
    const catalog = catalogs.get(migration.name)
    return catalog ? [weigh(migration, compare(catalog, found))] : []
  })
  // Of those whose catalogs are the same the first: whether a step that moves only rows was taken, no catalog tells, and
  // it can be taken again.
  const nearest = matches.sort(
    (a, b) => a.remaining.length - b.remaining.length || a.replaced.length - b.replaced.length,
  )[0]?.migration
  if (!nearest || !Object.keys(found).some(object => object.startsWith('table public.'))) {
    throw new MigrationError(
      'NOT_ADOPTABLE',
      'there is nothing of ours in this database: `migrate` makes it.',
    )
  }
  // As `check` would see it: an archive that was ended, or kept on the way down, is no difference.
  const match = weigh(nearest, driftOf(found, nearest.name, catalogs))
  if (match.remaining.length === 0) return match
  throw new MigrationError(
    'NOT_ADOPTABLE',
    [
      `no migration leaves a database like this one. The nearest is ${nearest.name}, but:`,
      ...match.remaining.map(({ message }) => `  ${message}`),
      'Mend these, and adopt again. Nothing was recorded.',
    ].join('\n'),
  )
}
