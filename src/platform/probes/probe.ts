import { readFileSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { catalogAt, nameOf, readCatalogs } from '../../catalog/files.ts'
import type { Probe } from '../../catalog/project.ts'
import type { Catalog } from '../../catalog/read.ts'
import type { Database } from '../../database.ts'
import { MigrationError } from '../../migrator/error.ts'
import { rolledBack } from '../../migrator/failure.ts'
import { DEFAULT_LOCK_TIMEOUT, retryOnLockTimeout } from '../../migrator/lock.ts'
import type { Change } from '../../migrator/project.ts'
import { formatPgError, isConnectionLost, pgErrorOf } from '../../pg-error.ts'
import { execute, query, setLockTimeout, transaction } from '../../query.ts'

/**
 * Tries what matters most on the tables of a catalog: that a sign-up works and makes a profile, and that clients can do
 * nothing, even if they were granted everything. All in a transaction that is rolled back; after a lock timeout it tries
 * again.
 *
 * @throws MigrationError `LOCK_TIMEOUT`
 */
export async function probe(db: Database, catalog: Catalog): Promise<Probe[]> {
  let probes: Probe[] = []
  const undo = new Error('rolled back on purpose')
  const attempt = async (tx: Database) => {
    await setLockTimeout(tx, DEFAULT_LOCK_TIMEOUT)
    probes = await probeInTransaction(tx, catalog)
    throw undo
  }
  await retryOnLockTimeout({ retries: 20 }, () =>
    // Where the session writes nothing, as on a standby, neither do we.
    transaction(db, attempt, { accessMode: undefined }).catch(error => {
      if (error !== undo) throw error
    }),
  )
  return probes
}

/**
 * The same within the caller's transaction: sees what that transaction has done, and leaves nothing in it.
 *
 * @throws MigrationError `STATEMENT_FAILED` after a lock timeout; the driver's error when the connection is lost
 */
export async function probeInTransaction(tx: Database, catalog: Catalog): Promise<Probe[]> {
  try {
    await execute(
      tx,
      sql`select set_config('agents_db.probe', ${JSON.stringify(whatToTry(catalog))}, true),
                 set_config('standard_conforming_strings', 'on', true), set_config('quote_all_identifiers', 'off', true)`,
    )
    await execute(tx, sql.raw(readFileSync(new URL('./probe.sql', import.meta.url), 'utf8')))
    const [row] = await query<{ probes: string }>(
      tx,
      sql`select current_setting('agents_db.probe') as probes`,
    )
    return JSON.parse(row?.probes ?? '[]')
  } catch (cause) {
    if (isConnectionLost(cause)) throw cause
    const { message, code } = pgErrorOf(cause)
    const reason = formatPgError({ message, code })
    throw new MigrationError('STATEMENT_FAILED', `the probes: ${reason}`, { sqlState: code, cause })
  }
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
  const probes = await probeInTransaction(tx, catalog).catch(error => {
    if (!(error instanceof MigrationError)) throw error
    const { code, message, sqlState, cause } = error
    throw new MigrationError(code, `${name}: ${message}\n${rolledBack[way]}`, { sqlState, cause })
  })
  const failed = probes.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return probes
  const lines = failed.map(({ what, why }) => `  ${what}: ${why}`)
  const summary = `${name}: ${failed.length === 1 ? '1 probe' : `${failed.length} probes`} failed:`
  throw new MigrationError('PROBE_FAILED', [summary, ...lines, rolledBack[way]].join('\n'))
}

function whatToTry(catalog: Catalog) {
  const objects = Object.keys(catalog)
  const named = (pattern: RegExp) => objects.filter(object => pattern.test(object)).map(nameOf)
  return {
    tables: named(/^(table|view) public\./),
    archived: named(/^(table|view) archive\./),
    functions: named(/^function /),
  }
}
