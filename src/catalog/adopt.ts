import { isDeepStrictEqual } from 'node:util'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { MigrationError } from '../migrator/error.ts'
import { type Migration, readMigrations } from '../migrator/files.ts'
import { ensureLedger, insertEntry, readLedger } from '../migrator/ledger.ts'
import { type LockOptions, withMigrationLock } from '../migrator/lock.ts'
import { verify } from '../migrator/verify.ts'
import { query, reading } from '../query.ts'
import type { Drift } from './accepted.ts'
import { driftOf, readProject } from './check.ts'
import { compare, type Difference } from './compare.ts'
import { nameOf, readCatalogs } from './files.ts'
import type { CatalogProject } from './project.ts'
import type { Catalog } from './read.ts'
import { findReplacement } from './replacement.ts'

export interface AdoptReport {
  /** The migration that the database is at. */
  at: string
  /** The migrations that were, or with `dryRun` would be, recorded as applied; none where the ledger had them. */
  recorded: string[]
  /** What differs, and which of the pending migrations replaces it. */
  replaced: { difference: Difference; by: string }[]
  /** What differs, and the project accepts. */
  accepted: Drift['accepted']
}

/**
 * Takes over a database that another tool has built: finds the migration whose `catalog.json` matches PostgreSQL's
 * catalogs, and records it and those before it as applied. Runs no DDL but for the ledger.
 *
 * @throws MigrationError `NOT_ADOPTABLE`; its cause is a list of the differences from the closest migration
 */
export async function adopt(
  db: Database,
  project: CatalogProject,
  options: { dryRun?: boolean } & Pick<LockOptions, 'onWait'> = {},
): Promise<AdoptReport> {
  const migrations = readMigrations(project.folder)
  const catalogs = readCatalogs(project.folder)
  const plan = async (tx: Database): Promise<AdoptReport> => {
    const ledger = await readLedger(tx, project)
    const last = ledger.at(-1)
    if (last) {
      verify(migrations, ledger)
      return { at: last.name, recorded: [], replaced: [], accepted: [] }
    }
    const { migration, replaced, accepted } = await findMatch(tx, project, migrations, catalogs)
    await refuseOthersObjects(tx, project, catalogs.get(migration.name) ?? {})
    const recorded = migrations.slice(0, migrations.indexOf(migration) + 1).map(({ name }) => name)
    return { at: migration.name, recorded, replaced, accepted }
  }
  if (options.dryRun) return await reading(db, plan)
  return await withMigrationLock(db, options, async tx => {
    const report = await plan(tx)
    await ensureLedger(tx, project)
    for (const migration of migrations) {
      if (report.recorded.includes(migration.name)) await insertEntry(tx, project, migration)
    }
    return report
  })
}

/** Only its owner, and who may act as it, can alter a table or replace a function. */
async function refuseOthersObjects(db: Database, { scope }: CatalogProject, catalog: Catalog): Promise<void> {
  const names = (kind: string) => {
    const objects = Object.keys(catalog).filter(object => object.startsWith(`${kind} `))
    return JSON.stringify(objects.map(nameOf).filter(name => !scope.externalTables.includes(name)))
  }
  const owners = await query<{ owner: string; self: string; first: string; others: number }>(
    db,
    sql`select r.rolname as owner, current_user as self, min(o.name) as first, count(*)::integer - 1 as others
          from (select name, (select relowner from pg_catalog.pg_class where oid = to_regclass(name)) as owner
                  from jsonb_array_elements_text(${names('table')}::text::jsonb) name
                 union all
                select name, (select proowner from pg_catalog.pg_proc where oid = to_regprocedure(name))
                  from jsonb_array_elements_text(${names('function')}::text::jsonb) name) o
          join pg_catalog.pg_roles r on r.oid = o.owner
         where not pg_has_role(r.oid, 'USAGE')
         group by r.rolname`,
  )
  if (owners.length === 0) return
  const lines = owners.map(({ owner, self, first, others }) => {
    const more = others > 0 ? ` and ${others} more` : ''
    return `${first}${more}: owned by ${owner}, and ${self} may not act as ${owner}. As a role that may: grant ${owner} to ${self}`
  })
  const message = ['the migrations could not alter what is here:', ...lines, 'Nothing was recorded.']
  throw new MigrationError('NOT_ADOPTABLE', message.join('\n'))
}

interface Match extends Pick<AdoptReport, 'replaced' | 'accepted'> {
  migration: Migration
  /** What no later migration replaces. */
  remaining: Difference[]
}

async function findMatch(
  db: Database,
  project: CatalogProject,
  migrations: Migration[],
  catalogs: Map<string, Catalog>,
): Promise<Match> {
  const weigh = (migration: Migration, differences: Difference[]): Match => {
    const match: Match = { migration, replaced: [], accepted: [], remaining: [] }
    const later = migrations.slice(migrations.indexOf(migration) + 1)
    for (const difference of differences) {
      const by = findReplacement(difference, later)
      if (by) match.replaced.push({ difference, by })
      else match.remaining.push(difference)
    }
    return match
  }
  const found = await readProject(db, project, catalogs)
  const matches = migrations.flatMap((migration, i) => {
    const [before, catalog] = [migrations[i - 1], migration].map(each => catalogs.get(each?.name ?? ''))
    // No catalog tells whether a migration that moves only rows was applied, and it can be applied again.
    const isNew = catalog && (!before || !isDeepStrictEqual(before, catalog))
    return isNew ? [weigh(migration, compare(catalog, found))] : []
  })
  // The later one has less left to do.
  const byDistance = (a: Match, b: Match) =>
    a.remaining.length - b.remaining.length || a.replaced.length - b.replaced.length
  const nearest = matches.reverse().sort(byDistance)[0]?.migration
  const isOurs = (object: string) =>
    project.scope.schemas.some(schema => object.startsWith(`table ${schema}.`))
  if (!nearest || !Object.keys(found).some(isOurs)) {
    throw new MigrationError('NOT_ADOPTABLE', 'this database has none of the tables: `migrate` creates them.')
  }
  // As `check` sees it, with what the project allows.
  const { differences, accepted } = driftOf(project, found, nearest.name, catalogs)
  const match = weigh(nearest, differences)
  if (match.remaining.length === 0) return { ...match, accepted }
  const lines = [
    `this database matches no migration. The closest is ${nearest.name}, with these differences:`,
    ...match.remaining.map(({ message }) => `  ${message}`),
    'Correct these, or accept what is to stay with `adopt --accept`, and adopt again. Nothing was recorded.',
  ]
  throw new MigrationError('NOT_ADOPTABLE', lines.join('\n'), { cause: match.remaining })
}
