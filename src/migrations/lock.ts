import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query, transaction } from '../query.ts'
import { isLockFailure, MigrationError } from './error.ts'

/** One key for every migrator of this package, on any database: 'agdb' in ASCII. */
const lockKey = 0x61676462

/** How long a migrator waits for another one, in milliseconds. */
const patience = 10 * 60_000

/**
 * In milliseconds. Below PostgreSQL's deadlock_timeout of a second, so that in a deadlock it is we who give way, and
 * no client; and short, because clients stand in line behind us for as long.
 */
export const defaultLockTimeout = 100

/** How a change waits for the locks it needs. */
export interface LockOptions {
  /** How long one lock may be waited for, in milliseconds; 100 unless given. Others queue behind us meanwhile. */
  lockTimeout?: number
  /** How often to try again, from the beginning, after a lock was not to be had; 100 unless given. */
  retries?: number
  /** Called when something has to be tried again, and now and then while an index waits to be built concurrently. */
  onWait?: (wait: Wait) => void
}

/** A lock that was not to be had in time. */
export interface Wait {
  /** Which statement, and who held the lock, as far as PostgreSQL tells us. */
  message: string
  /** How often it was tried; 0 while the statement goes on waiting. */
  attempt: number
}

/**
 * Runs `work` in a transaction while no other migrator is at work. No session lock: this holds behind a pooler in
 * transaction mode, and a killed migrator leaves none behind. Each attempt is a transaction of its own: one that stayed
 * open would keep a snapshot, and an index that the other migrator builds concurrently would wait for it to end.
 *
 * @throws MigrationError `BUSY`
 */
export async function inTurn<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  const deadline = Date.now() + patience
  for (;;) {
    const turn = await transaction(db, async tx => {
      const [row] = await query<{ locked: boolean }>(
        tx,
        sql`select pg_try_advisory_xact_lock(${lockKey}::bigint) as locked`,
      )
      return row?.locked ? { result: await work(tx) } : undefined
    })
    if (turn) return turn.result
    if (Date.now() > deadline) {
      throw new MigrationError(
        'BUSY',
        'another migration has been running for ten minutes. Nothing was run meanwhile.',
      )
    }
    await pause(25 + Math.random() * 50)
  }
}

/**
 * Tries again, with growing pauses of random length, as long as somebody else's lock is all that is wrong. What does
 * not end by itself, `between` may wait for.
 */
export async function untilUnlocked<T>(
  { retries = 100, onWait }: LockOptions,
  work: () => Promise<T>,
  between: () => Promise<void> = async () => {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof MigrationError) || error.code === 'LOCK_TIMEOUT' || !isLockFailure(error))
        throw error
      if (attempt > retries) {
        const { message, sqlState } = error
        throw new MigrationError('LOCK_TIMEOUT', `${message}\nGave up after ${attempt} attempts.`, {
          sqlState,
          cause: error,
        })
      }
      onWait?.({ message: error.message, attempt })
      // Half a second on average, so that whoever queued behind us gets through meanwhile.
      await pause(Math.random() * Math.min(1000, 50 * 2 ** attempt))
      if (attempt % 3 === 0) await between()
    }
  }
}
