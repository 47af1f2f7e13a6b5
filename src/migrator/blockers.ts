import { setTimeout as pause } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'

/** Asks over another connection who blocks a session, once it has waited for `after` milliseconds. */
export function watchForBlockers(observer: Database, pid: number, after: number) {
  let answer: Promise<string[]> = Promise.resolve([])
  const timer = setTimeout(() => {
    answer = readBlockers(observer, pid).catch(() => [])
  }, after)
  return {
    stop: () => clearTimeout(timer),
    /** What the answer is, unless it takes too long. */
    blockers: () => Promise.race([answer, pause(100, [] as string[])]),
  }
}

/** How often to report whom something waits for, in milliseconds. */
export const INTERVAL = 2_000

/** Runs `work` in the session `pid`, where it may wait for as long as it takes, and reports now and then for whom. */
export async function reportBlockers(
  observer: Database,
  pid: number,
  report: (blockers: string[]) => void,
  work: () => Promise<void>,
): Promise<void> {
  let asking = false
  const timer = setInterval(async () => {
    if (asking) return
    asking = true
    const blockers = await readBlockers(observer, pid).catch(() => [])
    if (blockers.length > 0) report(blockers)
    asking = false
  }, INTERVAL)
  await work().finally(() => clearInterval(timer))
}

export async function readPid(db: Database): Promise<number> {
  const [self] = await query<{ pid: number }>(db, sql`select pg_backend_pid() as pid`)
  return self?.pid ?? 0
}

export function blockedBy(blocker: string): string {
  return `blocked by: ${blocker}`
}

function readBlockers(db: Database, pid: number): Promise<string[]> {
  return readSessions(db, sql`select unnest(pg_blocking_pids(${pid}::integer))`)
}

export function readLockHolders(db: Database, key: number): Promise<string[]> {
  return readSessions(
    db,
    sql`select pid from pg_locks
         where locktype = 'advisory' and granted and (classid, objid, objsubid) = (0, ${key}::oid, 1)
           and database = (select oid from pg_database where datname = current_database())`,
  )
}

/** Sessions by process, application, and how long their transaction has been open. */
async function readSessions(db: Database, pids: SQL): Promise<string[]> {
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
          from pg_stat_activity a
         where a.pid in (${pids})
         order by a.xact_start`,
  )
  return rows.map(({ pid: blocker, application, state, seconds }) =>
    [
      `pid ${blocker}`,
      application && `application ${application}`,
      state,
      state === null && 'transaction age hidden (needs pg_read_all_stats)',
      seconds !== null && `in a transaction for ${seconds} s`,
    ]
      .filter(Boolean)
      .join(', '),
  )
}
