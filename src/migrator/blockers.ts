import { setTimeout as pause } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'

/** Asks over another connection who blocks a session, once it has waited for `after` milliseconds. */
export function watchForBlockers(observer: Database, pid: number, after: number) {
  let answer: Promise<string[]> = Promise.resolve([])
  const timer = setTimeout(() => {
    answer = readBlockers(observer, sql`${pid}::integer`).catch(() => [])
  }, after)
  return {
    stop: () => clearTimeout(timer),
    /** What the answer is, unless it takes too long. */
    blockers: () => Promise.race([answer, pause(100, [] as string[])]),
  }
}

/** How often to report whom a statement waits for, in milliseconds. */
const INTERVAL = 2_000

/** Runs `work`, a statement that may wait for as long as it takes, and reports now and then for whom. */
export async function reportBlockers(
  observer: Database,
  statement: string,
  report: (blockers: string[]) => void,
  work: () => Promise<void>,
): Promise<void> {
  let asking = false
  const timer = setInterval(async () => {
    if (asking) return
    asking = true
    const blockers = await readBlockers(observer, pidRunning(statement)).catch(() => [])
    if (blockers.length > 0) report(blockers)
    asking = false
  }, INTERVAL)
  await work().finally(() => clearInterval(timer))
}

/** PostgreSQL shows the beginning of what a session runs. */
function pidRunning(statement: string): SQL {
  return sql`(select pid from pg_stat_activity
               where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
                 and query <> '' and starts_with(${statement}, query)
               limit 1)`
}

/** The sessions that block another one: process, application, and how long their transaction has been open. */
async function readBlockers(db: Database, pid: SQL): Promise<string[]> {
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
  return rows.map(({ pid: blocker, application, state, seconds }) =>
    [
      `pid ${blocker}`,
      application && `application ${application}`,
      state,
      seconds === null
        ? 'transaction age hidden (needs pg_read_all_stats)'
        : `in a transaction for ${seconds} s`,
    ]
      .filter(Boolean)
      .join(', '),
  )
}
