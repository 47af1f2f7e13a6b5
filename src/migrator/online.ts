import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { connectionsOf, execute, setLockTimeout, transaction } from '../query.ts'
import { waitForAutovacuum } from './autovacuum.ts'
import { reportBlockers } from './blockers.ts'
import { blockedBy, placeOf, statementFailed } from './failure.ts'
import type { Script, Statement } from './files.ts'
import { DEFAULT_LOCK_TIMEOUT, type LockOptions, retryOnLockTimeout } from './lock.ts'
import { commitsByItself, indexedConcurrently } from './parse.ts'
import type { Project } from './project.ts'

/** Runs an online script: each statement outside the migration's transaction, and retried by itself. */
export async function runOnline(
  db: Database,
  project: Project,
  online: Script,
  options: LockOptions,
): Promise<void> {
  const { lockTimeout = DEFAULT_LOCK_TIMEOUT } = options
  for (const statement of online.statements) {
    const index = await indexedConcurrently(statement)
    const report = (blockers: string[]) => {
      const waits = index ? 'waits for older transactions, and blocks nobody' : 'waits'
      const lines = [`${placeOf(online, statement)}: ${waits}`, ...blockers.map(blockedBy)]
      options.onWait?.({ message: lines.join('\n'), attempt: 0 })
    }
    const attempt = () =>
      runOutside(db, statement, lockTimeout, report).catch(cause => {
        throw statementFailed(project, online, statement, cause)
      })
    await retryOnLockTimeout(options, attempt, () => waitForAutovacuum(db, statement.sql))
  }
}

/** A block that commits must set its own lock timeout, and an index that is built concurrently has none. */
async function runOutside(
  db: Database,
  statement: Statement,
  lockTimeout: number,
  report: (blockers: string[]) => void,
): Promise<void> {
  const run = (on: Database) => execute(on, sql.raw(statement.sql))
  if (!(await commitsByItself(statement))) {
    return await transaction(db, async tx => {
      await setLockTimeout(tx, lockTimeout)
      await run(tx)
    })
  }
  // One connection is the transaction's, one runs this: a third can ask.
  if (connectionsOf(db) < 3) await run(db)
  else await reportBlockers(db, statement.sql, report, () => run(db))
}
