import { readFileSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { catalogAt, nameOf, readCatalogs } from '../../catalog/files.ts'
import type { Probe } from '../../catalog/project.ts'
import type { Catalog } from '../../catalog/read.ts'
import type { Database } from '../../database.ts'
import { MigrationError } from '../../migrator/error.ts'
import { DEFAULT_LOCK_TIMEOUT, retryOnLockTimeout } from '../../migrator/lock.ts'
import type { Project } from '../../migrator/project.ts'
import { ownFile } from '../../own-file.ts'
import { formatPgError, isConnectionLost, pgErrorOf } from '../../pg-error.ts'
import { execute, query, setLockTimeout, transaction } from '../../query.ts'

/** What was tried, and what clients can reach besides: `open` is wrong only where it is new. */
interface Tried {
  what: string
  outcome: Probe['outcome'] | 'open'
  why?: string
  key?: string
}

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
    probes = (await probeInTransaction(tx, catalog)).flatMap(asProbe)
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
export async function probeInTransaction(tx: Database, catalog: Catalog): Promise<Tried[]> {
  const text = readFileSync(ownFile('probe.sql', import.meta.url), 'utf8')
  try {
    await execute(
      tx,
      sql`select set_config('agents_db.probe', ${JSON.stringify(whatToTry(catalog))}, true),
                 set_config('standard_conforming_strings', 'on', true), set_config('quote_all_identifiers', 'off', true)`,
    )
    await execute(tx, sql.raw(text))
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
 * Tries everything before a migration is applied or undone, and compares with it what each of its transactions has done:
 * what worked must go on working, and what clients can reach may not become more.
 *
 * @param onProbes called with what passed, or could not be tried; not at all where no migration has a `catalog.json`
 */
export function guardOf(folder: string, onProbes: (probes: Probe[]) => void): NonNullable<Project['guard']> {
  /** What the last migration left, which the next one begins with. */
  let latest: { at: string | undefined; tried: Tried[] } | undefined

  return async (tx, from) => {
    const catalogs = readCatalogs(folder)
    if (catalogs.size === 0) return async () => {}
    const catalogOf = (at: string | undefined) => (at === undefined ? undefined : catalogAt(catalogs, at))
    const before =
      latest && latest.at === from ? latest.tried : await probeInTransaction(tx, catalogOf(from) ?? {})
    const passed = new Set(before.filter(({ outcome }) => outcome === 'passed').map(({ what }) => what))
    const open = new Set(before.map(({ key }) => key))
    const isWorse = ({ what, outcome, key }: Tried) =>
      outcome === 'failed' ||
      (outcome === 'open' && !open.has(key)) ||
      (outcome === 'not tried' && passed.has(what))

    return async (tx, at) => {
      const catalog = catalogOf(at)
      if (catalog === undefined) return
      const tried = await probeInTransaction(tx, catalog)
      const failed = tried.filter(isWorse)
      if (failed.length > 0) {
        const lines = failed.map(({ what, why }) => `  ${what}: ${why}`)
        const summary = `${failed.length === 1 ? '1 probe' : `${failed.length} probes`} failed:`
        throw new MigrationError('PROBE_FAILED', [summary, ...lines].join('\n'))
      }
      if (at === from) return
      latest = { at, tried }
      onProbes(tried.flatMap(asProbe))
    }
  }
}

function asProbe({ what, outcome, why }: Tried): Probe[] {
  return outcome === 'open' ? [] : [{ what, outcome, ...(why !== undefined && { why }) }]
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
