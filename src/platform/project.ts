import type { AcceptedDifference } from '../catalog/accepted.ts'
import type { Difference } from '../catalog/compare.ts'
import { findDependents } from '../catalog/preflight.ts'
import type { CatalogProject, Probe } from '../catalog/project.ts'
import type { LedgerName } from '../migrator/project.ts'
import { ownFile } from '../own-file.ts'
import { expectedWithArchive } from './archive.ts'
import { guardOf, probe } from './probes/probe.ts'

export interface ProjectOptions {
  /** The migrations; the package's own unless given. */
  folder?: string
  /** The table that records them; drizzle's own unless given. */
  ledger?: LedgerName
  /** Differences that the project wants: `check` and `adopt` list them, and they are no drift. */
  accepted?: AcceptedDifference[]
}

/** The migrations of this package. */
export function packagedMigrations(): string {
  return ownFile('../../drizzle', import.meta.url)
}

/**
 * What this package adds to the engine: our schemas and the client roles of Supabase, an archive that may be kept or
 * dropped, and probes before every commit.
 *
 * @param onProbes called with what passed, or could not be tried
 */
export function project(
  { folder = packagedMigrations(), ledger, accepted = [] }: ProjectOptions = {},
  onProbes: (probes: Probe[]) => void = () => {},
): CatalogProject {
  return {
    folder,
    ...(ledger && { ledger }),
    scope: {
      schemas: ['public', 'archive'],
      externalTables: ['auth.users'],
      clientRoles: ['anon', 'authenticated', 'service_role'],
    },
    expectedCatalog: expectedWithArchive,
    accepted,
    needsReason,
    probe,
    preflight: (db, way, migrations) => findDependents(db, folder, way, migrations),
    guard: guardOf(folder, onProbes),
    hintFor,
  }
}

/**
 * Whether it takes a reason to accept a difference. It does not where something is only added, and not for clients: a
 * column, a constraint, an index, a trigger, a grant.
 */
function needsReason({ fact, expected }: Difference): boolean {
  const isHarmless =
    /^(?:column|constraint|index|trigger) |^grants (?:.* )?to (?!(?:public|anon|authenticated)$)/
  return expected !== null || !isHarmless.test(fact ?? '')
}

/** A plain PostgreSQL lacks Supabase's schema and roles; a database that another tool built has the tables already. */
function hintFor(sqlState: string): string | undefined {
  if (sqlState === '3F000' || sqlState === '42704')
    return 'A PostgreSQL without Supabase needs its roles and auth.users first: see docs/deploying.md.'
  if (sqlState === '53300') return '`migrate` and `rollback` need up to three connections at once.'
  if (sqlState === '42P07')
    return 'If another tool, such as Alembic, made it: `agents-db adopt` takes the database over.'
  if (sqlState === '42710' || sqlState === '42723')
    return 'A trigger or function of yours may have this name, as in guides to Supabase: give it another one.'
  return undefined
}
