import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { connectionsOf, execute, transaction } from '../query.ts'
import { waitForAutovacuum } from './autovacuum.ts'
import { reportBlockers } from './blockers.ts'
import { blockedBy, placeOf, statementFailed } from './failure.ts'
import type { Migration, Script, Statement } from './files.ts'
import { defaultLockTimeout, type LockOptions, retryOnLockTimeout } from './lock.ts'
import { commitsByItself } from './parse.ts'
import type { Project } from './project.ts'

/** Runs an online script: each statement outside the migration's transaction, and retried by itself. */
export async function runOnline(
  db: Database,
  project: Project,
  migration: Migration,
  online: Script,
  options: LockOptions,
): Promise<void> {
  for (const statement of online.statements) {
    const report = (blockers: string[]) => {
      const what = `${placeOf(migration, online, statement)}: waits for older transactions, and blocks nobody`
      options.onWait?.({ message: [what, ...blockers.map(blockedBy)].join('\n'), attempt: 0 })
    }
    const attempt = () =>
      runOutside(db, statement, options.lockTimeout ?? defaultLockTimeout, report).catch(cause => {
        throw statementFailed(project, migration, online, statement, cause)
      })
    await retryOnLockTimeout(options, attempt, () => waitForAutovacuum(db, statement.sql))
  }
}

/**
 * Statements that commit by themselves set their own lock timeout. CREATE INDEX CONCURRENTLY waits for older
 * transactions. Everything else runs in a transaction with ours.
 */
async function runOutside(
  db: Database,
  statement: Statement,
  lockTimeout: number,
  report: (blockers: string[]) => void,
): Promise<void> {
  const run = () => execute(db, sql.raw(statement.sql))
  if (await commitsByItself(statement)) {
    // One connection is the transaction's, one runs this: a third can ask.
    return connectionsOf(db) > 2 ? await reportBlockers(db, statement.sql, report, run) : await run()
  }
  await transaction(db, async tx => {
    await execute(tx, sql`select set_config('lock_timeout', ${`${lockTimeout}ms`}, true)`)
    await execute(tx, sql.raw(statement.sql))
  })
}
