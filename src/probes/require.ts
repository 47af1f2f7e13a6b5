import type { Catalog } from '../catalog/read.ts'
import type { Database } from '../database.ts'
import { MigrationError } from '../migrations/error.ts'
import { type Probe, probeInTransaction } from './probe.ts'

/**
 * Probes what a step has done, in its own transaction, before it is committed.
 *
 * @returns what passed, or could not be tried
 * @throws MigrationError `PROBE_FAILED`, or what `probeInTransaction` throws; either rolls the step back
 */
export async function requireProbes(tx: Database, name: string, catalog: Catalog): Promise<Probe[]> {
  const probes = await probeInTransaction(tx, catalog).catch(({ message, sqlState, cause }) => {
    throw new MigrationError('STATEMENT_FAILED', `${name}: ${message}\nNothing of this step was applied.`, {
      sqlState,
      cause,
    })
  })
  const failed = probes.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return probes
  const lines = failed.map(({ what, why }) => `  ${what}: ${why}`)
  throw new MigrationError(
    'PROBE_FAILED',
    [`${name}: with it, this no longer holds:`, ...lines, 'Nothing of this step was applied.'].join('\n'),
  )
}
