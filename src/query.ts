import { setImmediate } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import type { PgTransactionConfig } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { Database } from './database.ts'
import { isConnectionLost } from './pg-error.ts'

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

/**
 * What a role, a database or a server may set otherwise, and what would then change what our statements do or end them.
 * Names that a server does not know are left out.
 */
const SETTINGS = {
  search_path: '',
  lock_timeout: '0',
  statement_timeout: '0',
  transaction_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  row_security: 'on',
  session_replication_role: 'origin',
  check_function_bodies: 'on',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  transform_null_equals: 'off',
  restrict_nonsystem_relation_kind: '',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  'plpgsql.extra_errors': 'none',
  'plpgsql.extra_warnings': 'none',
}

const TRANSACTION_DEFAULTS = {
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
}

/**
 * Applies settings until the transaction ends or, with `session`, the session does.
 *
 * @returns what those that differed were before
 */
export async function applySettings(
  tx: Database,
  settings: Record<string, string> = SETTINGS,
  until: 'transaction' | 'session' = 'transaction',
): Promise<Record<string, string>> {
  const changed = await query<{ name: string; before: string }>(
    tx,
    sql`select s.name, s.before, pg_catalog.set_config(s.name, s.value, ${until === 'transaction'})
          from (select key as name, value, pg_catalog.current_setting(key, true) as before
                  from pg_catalog.jsonb_each_text(${JSON.stringify(settings)}::text::jsonb)) s
         where s.before operator(pg_catalog.<>) s.value`,
  )
  return Object.fromEntries(changed.map(({ name, before }) => [name, before]))
}

/** Transactions whose connection was lost while they ran. */
const lost = new WeakSet<Database>()

function refuseLost(db: Database): void {
  if (lost.has(db)) {
    const code = 'CONNECTION_CLOSED'
    throw Object.assign(new Error('the connection of this transaction was lost'), { code })
  }
}

/**
 * Runs `work` in a transaction with our own settings, whatever the session's are. Within it, statements go through `query`
 * and `execute`: postgres.js throws outside every `try` when something is written to a connection that is gone, be it a
 * rollback (porsager/postgres#1208).
 */
export async function transaction<T>(
  db: Database,
  work: (tx: Database) => Promise<T>,
  config: Config = {},
): Promise<T> {
  let isBegun = false
  const begin = (tx: Database) => {
    isBegun = true
    return work(tx)
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await runTransaction(db, begin, config)
    } catch (error) {
      // The server may have ended an idle connection of the pool, of which postgres.js then speaks twice. Another one has
      // not been asked for anything yet.
      if (isBegun || 'rollback' in db || attempt === 3 || !isConnectionLost(error)) throw error
    }
  }
}

type Config = Pick<PgTransactionConfig, 'accessMode' | 'isolationLevel'>

async function runTransaction<T>(
  db: Database,
  work: (tx: Database) => Promise<T>,
  config: Config,
): Promise<T> {
  let own: Database | undefined
  let failure: unknown
  let ended = false
  const running = db.transaction(
    async tx => {
      own = tx
      try {
        const before = await applySettings(tx)
        const result = await work(tx)
        // A transaction within the caller's.
        if ('rollback' in db && !ended) await applySettings(tx, before)
        if (!ended) return result
      } catch (error) {
        failure = error
        if (!ended) throw error
      }
      // The connection is already reported lost; returning would make postgres.js write to it.
      return await new Promise<never>(() => {})
    },
    { isolationLevel: 'read committed', accessMode: 'read write', ...config },
  )
  return await running.catch(async error => {
    ended = true
    if (own) lost.add(own)
    // The statement that was running fails in a moment, and says where.
    await setImmediate()
    throw failure ?? error
  })
}

/** Runs what only reads: in the caller's transaction or, so that no timeout of a role's ends it, in one of its own. */
export async function reading<T>(db: Database, work: (tx: Database) => Promise<T>): Promise<T> {
  return 'rollback' in db ? await work(db) : await transaction(db, work, { accessMode: 'read only' })
}

/**
 * Runs `work` over a connection of its own with our own settings, but outside a transaction, where some statements must run.
 * A driver other than postgres.js, or a pooler in transaction mode, may run it with the role's settings instead.
 */
export async function outsideTransaction<T>(db: Database, work: (on: Database) => Promise<T>): Promise<T> {
  const { options } = (db as { $client?: Partial<postgres.Sql> }).$client ?? {}
  if (!options || !('shared' in options)) return await work(db)
  // To ask for types would be under the role's settings still, and an error there reaches nobody.
  const client = postgres({ ...(options as object), max: 1, fetch_types: false })
  try {
    const on = drizzle({ client })
    await applySettings(on, { ...SETTINGS, ...TRANSACTION_DEFAULTS }, 'session')
    return await work(on)
  } finally {
    await client.end({ timeout: 1 })
  }
}

/** postgres.js and node-postgres say how many connections their pool may have; what says nothing has one. */
export function connectionsOf(db: Database): number {
  const { $client } = db as { $client?: { options?: { max?: number } } }
  return $client?.options?.max ?? 1
}
