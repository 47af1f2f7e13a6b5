import { catalogAt, readCatalogs } from '../../catalog/files.ts'
import type { Probe } from '../../catalog/project.ts'
import type { Database } from '../../database.ts'
import { MigrationError } from '../../migrator/error.ts'
import { probeInTransaction } from './probe.ts'

/**
 * Probes what a migration has done, in its own transaction, before it is committed.
 *
 * @returns what passed, or could not be tried; nothing where no migration has a `catalog.json`
 * @throws MigrationError `PROBE_FAILED`, or what `probeInTransaction` throws; either rolls the migration back
 */
export async function requireProbes(tx: Database, folder: string, name: string): Promise<Probe[]> {
  const catalog = catalogAt(readCatalogs(folder), name)
  if (catalog === undefined) return []
  const probes = await probeInTransaction(tx, catalog).catch(({ message, sqlState, cause }) => {
    throw new MigrationError('STATEMENT_FAILED', `${name}: ${message}\n${rolledBack}`, { sqlState, cause })
  })
  const failed = probes.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return probes
  const lines = failed.map(({ what, why }) => `  ${what}: ${why}`)
  throw new MigrationError(
    'PROBE_FAILED',
    [
      `${name}: ${failed.length === 1 ? '1 probe' : `${failed.length} probes`} failed:`,
      ...lines,
      rolledBack,
    ].join('\n'),
  )
}

const rolledBack = 'The migration was rolled back and is not applied.'
