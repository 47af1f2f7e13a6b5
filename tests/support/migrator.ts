import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { migrate, rollback } from '../../src/migrations/index.ts'

/** One step of the way: up to a migration, or down to the one before. */
export interface Step {
  way: 'up' | 'down'
  to: string | undefined
}

export const applicationName = 'migrator under test'

/** Takes a step over connections of its own, and tells of each statement just before it is sent. */
export async function takeStep(
  url: string,
  { way, to }: Step,
  onStatement: (n: number, sql: string) => void,
): Promise<void> {
  let count = 0
  const sql = postgres(url, { max: 2, onnotice: () => {}, connection: { application_name: applicationName } })
  const db = drizzle({
    client: sql,
    logger: {
      logQuery(query) {
        count += 1
        onStatement(count, query)
      },
    },
  })
  const options = { retries: 5, ...(to !== undefined && { to }) }
  try {
    if (way === 'up') await migrate(db, options)
    else await rollback(db, to === undefined ? { retries: 5 } : options)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

// As a process of its own, which kills itself while the server has its nth statement.
const [, file, url, step, nth] = process.argv
if (file === import.meta.filename && url && step) {
  await takeStep(url, JSON.parse(step), n => {
    if (n === Number(nth)) setImmediate(() => process.kill(process.pid, 'SIGKILL'))
  })
}
