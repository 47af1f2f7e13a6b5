import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { connectionsOf, execute, outsideTransaction, query, setLockTimeout, transaction } from '../query.ts'
import { waitForAutovacuum } from './autovacuum.ts'
import { type BatchOptions, batchesOf, runBatches } from './batches.ts'
import { blockedBy, readPid, reportBlockers } from './blockers.ts'
import { placeOf, statementFailed } from './failure.ts'
import type { Script, Statement } from './files.ts'
import { DEFAULT_LOCK_TIMEOUT, retryOnLockTimeout } from './lock.ts'
import { commitsByItself, indexedConcurrently } from './parse.ts'
import type { Project } from './project.ts'

/**
 * Runs an online script: each statement outside the migration's transaction, and retried by itself.
 *
 * @param guard runs before each of its transactions is committed, and after what commits by itself
 */
export async function runOnline(
  db: Database,
  project: Project,
  online: Script,
  guard: (tx: Database) => Promise<void>,
  options: BatchOptions,
): Promise<void> {
  for (const statement of online.statements) {
    const retry = <T>(work: () => Promise<T>) => {
      const attempt = () =>
        work().catch(cause => {
          throw statementFailed(project, online, statement, cause)
        })
      return retryOnLockTimeout(options, attempt, () => waitForAutovacuum(db, statement.sql))
    }
    if (batchesOf(statement)) await runBatches(db, project, online, statement, guard, retry, options)
    else if (!(await commitsByItself(statement))) await retry(() => runOnce(db, statement, guard, options))
    else {
      await retry(() => runByItself(db, online, statement, options))
      await retryOnLockTimeout(options, () => transaction(db, guard)).catch(cause => {
        throw statementFailed(project, online, statement, cause, [], COMMITTED)
      })
    }
  }
}

const COMMITTED =
  'What this statement did is committed: undo it, and mend the script. The next run would take it for what was there before.'

async function runOnce(
  db: Database,
  statement: Statement,
  guard: (tx: Database) => Promise<void>,
  { lockTimeout = DEFAULT_LOCK_TIMEOUT }: BatchOptions,
): Promise<void> {
  await transaction(db, async tx => {
    await setLockTimeout(tx, lockTimeout)
    await execute(tx, sql.raw(statement.sql))
    await guard(tx)
  })
}

async function runByItself(
  db: Database,
  online: Script,
  statement: Statement,
  options: BatchOptions,
): Promise<void> {
  const run = (on: Database) => execute(on, sql.raw(statement.sql))
  const concurrent = await indexedConcurrently(statement)
  const report = (blockers: string[]) => {
    const waits = concurrent ? 'waits for older transactions, and blocks nobody' : 'waits'
    const lines = [`${placeOf(online, statement)}: ${waits}`, ...blockers.map(blockedBy)]
    options.onWait?.({ message: lines.join('\n'), attempt: 0 })
  }
  await outsideTransaction(db, async on => {
    if (concurrent?.index) await dropInvalidIndex(on, concurrent.index)
    // One connection is the migration's, one runs this: a third can ask.
    if (connectionsOf(db) < 3) return await run(on)
    await reportBlockers(db, await readPid(on), report, () => run(on))
  })
}

/** An index whose concurrent build was ended is there, but of no use, and `if not exists` would keep it. */
async function dropInvalidIndex(db: Database, index: string): Promise<void> {
  const found = await query<{ name: string }>(
    db,
    sql`select indexrelid::regclass::text as name
          from pg_catalog.pg_index
         where indexrelid = to_regclass(${index}) and not indisvalid`,
  )
  for (const { name } of found) await execute(db, sql`drop index concurrently if exists ${sql.raw(name)}`)
}
