import { readFileSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { nameOf } from '../catalog/files.ts'
import type { Catalog } from '../catalog/read.ts'
import type { Database } from '../database.ts'
import { MigrationError, refusalOf } from '../migrations/error.ts'
import { defaultLockTimeout, untilUnlocked } from '../migrations/lock.ts'
import { execute, query, transaction } from '../query.ts'

/** Something that was tried. */
export interface Probe {
  /** As it should be: `a sign-up with e-mail`, `anon can select nothing from public.llms`. */
  what: string
  /** `not tried` where the role that probes may not, or somebody else's trigger stood in the way. */
  outcome: 'passed' | 'failed' | 'not tried'
  /** Why it did not pass. */
  why?: string
}

/**
 * Tries what matters most on the tables of a catalog: that a sign-up works and makes a profile, and that clients can
 * do nothing, even if they were granted everything. All in a transaction that is rolled back; where a lock is not to be
 * had in time, in another one a little later.
 *
 * @throws MigrationError `LOCK_TIMEOUT`
 */
export async function probe(db: Database, catalog: Catalog): Promise<Probe[]> {
  let probes: Probe[] = []
  const undo = new Error('rolled back on purpose')
  await untilUnlocked({ retries: 20 }, () =>
    transaction(db, async tx => {
      await execute(tx, sql`select set_config('lock_timeout', ${`${defaultLockTimeout}ms`}, true)`)
      probes = await probeInTransaction(tx, catalog)
      throw undo
    }).catch(error => {
      if (error !== undo) throw error
    }),
  )
  return probes
}

/**
 * The same within a transaction of the caller's: sees what that transaction has done, and leaves nothing in it.
 *
 * @throws MigrationError `STATEMENT_FAILED` where a lock is not to be had, or the connection is lost
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
    const { message, code } = refusalOf(cause)
    const sqlState = code ? ` (SQLSTATE ${code})` : ''
    throw new MigrationError('STATEMENT_FAILED', `the probes: ${message}${sqlState}`, {
      sqlState: code,
      cause,
    })
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
