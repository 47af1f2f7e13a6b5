import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { isLockFailure, pgErrorOf } from '../pg-error.ts'
import { query, transaction } from '../query.ts'
import { blockedBy, INTERVAL, readLockHolders } from './blockers.ts'
import { MigrationError } from './error.ts'

/** The advisory lock of every migrator: 'agdb' in ASCII. */
const LOCK_KEY = 0x61676462

/** How long a migrator waits for another one, in milliseconds. */
const PATIENCE = 10 * 60_000

/**
 * In milliseconds. Below PostgreSQL's deadlock_timeout of a second, so that we are a deadlock's victim and no client is;
 * and short, because clients queue behind us meanwhile.
 */
export const DEFAULT_LOCK_TIMEOUT = 100

/** How a change waits for the locks it needs. */
export interface LockOptions {
  /** How long to wait for one lock, in milliseconds; 100 unless given. */
  lockTimeout?: number
  /** How often to try again from the beginning after a lock timeout; 100 unless given. */
  retries?: number
  /** Called after each lock timeout or deadlock, and now and then while something waits for as long as it takes. */
  onWait?: (wait: Wait) => void
}

/** Something that waits for others. */
export interface Wait {
  /** Which statement waits, and for whom, as far as PostgreSQL tells us. */
  message: string
  /** How often it was tried; 0 while it goes on waiting. */
  attempt: number
}

/**
 * Runs `work` in a transaction while no other migrator is running. The lock ends with the transaction, so it holds behind
 * a pooler too, and a killed migrator leaves none behind. Each attempt is a transaction of its own: one that stayed open
 * would keep a snapshot, and an index that the other migrator builds concurrently would wait for it to end.
 *
 * @throws MigrationError `BUSY`
 */
export async function withMigrationLock<T>(
  db: Database,
  { onWait }: Pick<LockOptions, 'onWait'>,
  work: (tx: Database) => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + PATIENCE
  let nextReport = Date.now() + INTERVAL
  for (;;) {
    const attempt = await transaction(db, async tx => {
      const [row] = await query<{ locked: boolean }>(
        tx,
        sql`select pg_try_advisory_xact_lock(${LOCK_KEY}::bigint) as locked`,
      )
      return row?.locked ? { result: await work(tx) } : undefined
    })
    if (attempt) return attempt.result
    if (Date.now() > nextReport) {
      const holders = (await readLockHolders(db, LOCK_KEY)).map(blockedBy)
      if (Date.now() > deadline) {
        const lines = [
          'another migration is still running after ten minutes.',
          ...holders,
          'Nothing was run.',
        ]
        throw new MigrationError('BUSY', lines.join('\n'))
      }
      onWait?.({ message: ['waits for another migration to end', ...holders].join('\n'), attempt: 0 })
      nextReport = Date.now() + INTERVAL
    }
    await pause(25 + Math.random() * 50)
  }
}

/**
 * Tries again after a lock timeout or a deadlock, with growing pauses of random length.
 *
 * @param beforeRetry what to wait for after every third attempt
 * @throws MigrationError `LOCK_TIMEOUT` after the last attempt
 */
export async function retryOnLockTimeout<T>(
  { retries = 100, onWait }: LockOptions,
  work: () => Promise<T>,
  beforeRetry: () => Promise<void> = async () => {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const hasGivenUp = error instanceof MigrationError && error.code === 'LOCK_TIMEOUT'
      if (hasGivenUp || !isLockFailure(error)) throw error
      const { message } = error instanceof MigrationError ? error : pgErrorOf(error)
      if (attempt > retries) {
        throw new MigrationError('LOCK_TIMEOUT', `${message}\nGave up after ${attempt} attempts.`, {
          sqlState: pgErrorOf(error).code,
          cause: error,
        })
      }
      onWait?.({ message, attempt })
      // Half a second on average, so that clients queued behind us get through meanwhile.
      await pause(Math.random() * Math.min(1000, 50 * 2 ** attempt))
      if (attempt % 3 === 0) await beforeRetry()
    }
  }
}
