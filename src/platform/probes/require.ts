import { catalogAt, readCatalogs } from '../../catalog/files.ts'
import type { Probe } from '../../catalog/project.ts'
import type { Database } from '../../database.ts'
import { MigrationError } from '../../migrator/error.ts'
import type { Change } from '../../migrator/project.ts'
import { probeInTransaction } from './probe.ts'

const states = {
  up: 'The migration was rolled back and is not applied.',
  down: 'The migration was not undone and is still applied.',
}

/**
 * Probes what applying or undoing a migration has done, in its own transaction, before it is committed.
 *
 * @returns what passed, or could not be tried; nothing where no migration has a `catalog.json`
 * @throws MigrationError `PROBE_FAILED`, or what `probeInTransaction` throws; either rolls the migration back
 */
export async function requireProbes(
  tx: Database,
  folder: string,
  { name, way, at }: Change,
): Promise<Probe[]> {
  const catalog = at === undefined ? undefined : catalogAt(readCatalogs(folder), at)
  if (catalog === undefined) return []
  const probes = await probeInTransaction(tx, catalog).catch(({ message, sqlState, cause }) => {
    throw new MigrationError('STATEMENT_FAILED', `${name}: ${message}\n${states[way]}`, { sqlState, cause })
  })
  const failed = probes.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return probes
  const lines = failed.map(({ what, why }) => `  ${what}: ${why}`)
  throw new MigrationError(
    'PROBE_FAILED',
    [
      `${name}: ${failed.length === 1 ? '1 probe' : `${failed.length} probes`} failed:`,
      ...lines,
      states[way],
    ].join('\n'),
  )
}
