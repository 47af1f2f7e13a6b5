import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { migrate, repair, rollback } from '../../src/migrate.ts'

/** One step of the way, up to a migration or down to the one before, from the migrations of a folder. */
export interface Step {
  way: 'up' | 'down'
  to: string | undefined
  folder?: string
}

export const applicationName = 'migrator under test'

/** What a script says to have its process killed. */
export const fatal = 'kill the migrator'

/** Takes a step over connections of its own. */
export async function takeStep(
  url: string,
  { way, to, folder }: Step,
  onNotice: (message: string) => void = () => {},
): Promise<void> {
  const sql = postgres(url, {
    max: 2,
    // A connection that is cut while it asks for PostgreSQL's types would leave an error that nobody handles.
    fetch_types: false,
    onnotice: notice => onNotice(String(notice.message)),
    connection: { application_name: applicationName },
  })
  const db = drizzle({ client: sql })
  const options = { ...(to !== undefined && { to }), ...(folder !== undefined && { folder }) }
  // Of a connection that was cut in a transaction, postgres.js would wait to hear more.
  let timeout = 0
  try {
    // A script that is interrupted is an edited one.
    await repair(db, options)
    await (way === 'up' ? migrate(db, options) : rollback(db, options))
    timeout = 60
  } finally {
    await sql.end({ timeout })
  }
}

// As a process of its own.
const [, file, url, step] = process.argv
if (file === import.meta.filename && url && step) {
  await takeStep(url, JSON.parse(step), message => {
    if (message === fatal) process.kill(process.pid, 'SIGKILL')
  })
}
