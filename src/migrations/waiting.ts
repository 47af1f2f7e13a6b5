import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'

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
    asked = whoBlocks(observer, pid).catch(() => [])
  }, after)
  try {
    await work()
  } catch (cause) {
    // The observer's answer is welcome, but nothing to wait long for.
    throw failed(cause, await Promise.race([asked, pause(100, [] as string[])]))
  } finally {
    clearTimeout(timer)
  }
}

/** Whom a session waits for: process, application, and for how long their transaction has been open. */
async function whoBlocks(db: Database, pid: number): Promise<string[]> {
  const rows = await db.execute<{
    pid: number
    application: string
    state: string | null
    seconds: number | null
  }>(
    sql`select a.pid,
               coalesce(a.application_name, '')                          as application,
               a.state,
               round(extract(epoch from now() - a.xact_start))::integer  as seconds
          from unnest(pg_blocking_pids(${pid}::integer)) as b (pid)
          join pg_stat_activity a on a.pid = b.pid
         order by a.xact_start`,
    'objects',
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
