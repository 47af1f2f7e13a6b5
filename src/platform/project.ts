import { findDependents } from '../catalog/preflight.ts'
import type { CatalogProject, Probe } from '../catalog/project.ts'
import { needsReason } from './accepted.ts'
import { expectedWithArchive } from './archive.ts'
import { packagedMigrations } from './folder.ts'
import { probe } from './probes/probe.ts'
import { requireProbes } from './probes/require.ts'

/**
 * What this package adds to the engine: our schemas and the client roles of Supabase, an archive that may be kept or
 * dropped, and probes before every commit.
 *
 * @param folder the migrations; the package's own unless given
 * @param onProbes called with what passed, or could not be tried
 */
export function project(
  folder = packagedMigrations(),
  onProbes: (probes: Probe[]) => void = () => {},
): CatalogProject {
  return {
    folder,
    scope: {
      schemas: ['public', 'archive'],
      externalTables: ['auth.users'],
      clientRoles: ['anon', 'authenticated', 'service_role'],
    },
    expectedCatalog: expectedWithArchive,
    needsReason,
    probe,
    preflight: (db, way, migrations) => findDependents(db, folder, way, migrations),
    beforeCommit: async (tx, change) => onProbes(await requireProbes(tx, folder, change)),
    hintFor,
  }
}

/** A plain PostgreSQL lacks Supabase's schema and roles; a database that another tool built has the tables already. */
function hintFor(sqlState: string): string | undefined {
  if (sqlState === '3F000' || sqlState === '42704')
    return 'A PostgreSQL without Supabase needs its roles and auth.users first: see docs/deploying.md.'
  if (sqlState === '42P07')
    return 'If another tool, such as Alembic, made it: `agents-db adopt` takes the database over.'
  return undefined
}
