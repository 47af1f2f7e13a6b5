import { readFileSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { nameOf } from '../../catalog/files.ts'
import type { Probe } from '../../catalog/project.ts'
import type { Catalog } from '../../catalog/read.ts'
import type { Database } from '../../database.ts'
import { MigrationError } from '../../migrator/error.ts'
import { DEFAULT_LOCK_TIMEOUT, retryOnLockTimeout } from '../../migrator/lock.ts'
import { formatPgError, pgErrorOf } from '../../pg-error.ts'
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
 * @throws MigrationError `STATEMENT_FAILED` after a lock timeout, or when the connection is lost
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
    const { message, code } = pgErrorOf(cause)
    const reason = formatPgError({ message, code })
    throw new MigrationError('STATEMENT_FAILED', `the probes: ${reason}`, { sqlState: code, cause })
  }
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
