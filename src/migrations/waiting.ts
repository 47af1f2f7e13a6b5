import { setTimeout as pause } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import { isLockFailure } from './error.ts'

/** Asks over `observer`, while `work` waits for a lock in the session `pid`, who holds it. */
export async function watchLocks(
  observer: Database,
  pid: number,
  after: number,
  work: () => Promise<void>,
  failed: (cause: unknown, holders: string[]) => Error,
): Promise<void> {
  let asked: Promise<string[]> = Promise.resolve([])
  const timer = setTimeout(() => {
    asked = whoBlocks(observer, sql`${pid}::integer`).catch(() => [])
  }, after)
  try {
    await work()
  } catch (cause) {
    // The observer's answer is welcome where a lock was not to be had, but nothing to wait long for.
    throw failed(cause, isLockFailure(cause) ? await Promise.race([asked, pause(100, [] as string[])]) : [])
  } finally {
    clearTimeout(timer)
  }
}

/** How often it is asked whom a statement waits for that may wait for as long as it takes, in milliseconds. */
const interval = 2_000

/** Tells, now and then while `work` goes on, whom the session that runs this very statement waits for. */
export async function tellHolders(
  observer: Database,
  statement: string,
  tell: (holders: string[]) => void,
  work: () => Promise<void>,
): Promise<void> {
  let asking = false
  const timer = setInterval(async () => {
    if (asking) return
    asking = true
    const holders = await whoBlocks(observer, pidRunning(statement)).catch(() => [])
    if (holders.length > 0) tell(holders)
    asking = false
  }, interval)
  await work().finally(() => clearInterval(timer))
}

/** PostgreSQL shows the beginning of what a session runs. */
function pidRunning(statement: string): SQL {
  return sql`(select pid from pg_stat_activity
               where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
                 and query <> '' and starts_with(${statement}, query)
               limit 1)`
}

/** Whom a session waits for: process, application, and for how long their transaction has been open. */
async function whoBlocks(db: Database, pid: SQL): Promise<string[]> {
  const rows = await query<{
    pid: number
    application: string
    state: string | null
    seconds: number | null
  }>(
    db,
    sql`select a.pid,
               coalesce(a.application_name, '')                          as application,
               a.state,
               round(extract(epoch from now() - a.xact_start))::integer  as seconds
          from unnest(pg_blocking_pids(${pid})) as b (pid)
          join pg_stat_activity a on a.pid = b.pid
         order by a.xact_start`,
  )
  return rows.map(({ pid: holder, application, state, seconds }) =>
    [
      `pid ${holder}`,
      application && `application ${application}`,
      state,
      seconds === null
        ? 'for how long is hidden from this role, which is no member of pg_read_all_stats'
        : `in its transaction for ${seconds} s`,
    ]
      .filter(Boolean)
      .join(', '),
  )
}
