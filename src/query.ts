import { type SQL, sql } from 'drizzle-orm'
import type { PgTransactionConfig } from 'drizzle-orm/pg-core'
import type { Database } from './database.ts'

/** Runs one statement and gives its rows as objects, whichever driver the database uses. */
export async function query<Row extends Record<string, unknown>>(
  db: Database,
  statement: SQL,
): Promise<Row[]> {
  refuseLost(db)
  return await db.execute<Row>(statement, 'objects')
}

/** Runs one statement for what it does. */
export async function execute(db: Database, statement: SQL): Promise<void> {
  refuseLost(db)
  await db.execute(statement)
}

/** How long statements of this transaction may wait for a lock, in milliseconds. */
export async function setLockTimeout(tx: Database, milliseconds: number): Promise<void> {
  await execute(tx, sql`select set_config('lock_timeout', ${`${milliseconds}ms`}, true)`)
}

/** Transactions whose connection was lost while they ran. */
const lost = new WeakSet<Database>()

function refuseLost(db: Database): void {
  if (lost.has(db)) throw new Error('the connection of this transaction was lost')
}

/**
 * Runs `work` in a transaction. Within it, statements go through `query` and `execute`: postgres.js throws outside every
 * `try` when something is written to a connection that is gone, be it a rollback (porsager/postgres#1208).
 */
export async function transaction<T>(
  db: Database,
  work: (tx: Database) => Promise<T>,
  config?: PgTransactionConfig,
): Promise<T> {
  let own: Database | undefined
  let failure: unknown
  let ended = false
  const running = db.transaction(async tx => {
    own = tx
    try {
      const result = await work(tx)
      if (!ended) return result
    } catch (error) {
      failure = error
      if (!ended) throw error
    }
    // The connection is already reported lost; returning would make postgres.js write to it.
    return await new Promise<never>(() => {})
  }, config)
  return await running.catch(error => {
    ended = true
    if (own) lost.add(own)
    throw failure ?? error
  })
}

/** postgres.js and node-postgres say how many connections their pool may have; what says nothing has one. */
export function connectionsOf(db: Database): number {
  const { $client } = db as { $client?: { options?: { max?: number } } }
  return $client?.options?.max ?? 1
}
