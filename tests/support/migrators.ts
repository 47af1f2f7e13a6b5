import { drizzle } from 'drizzle-orm/postgres-js'
import { onTestFinished } from 'vitest'
import { ownDatabase } from './database.ts'
import { connect } from './templates.ts'

/** A database and eight migrators for it, each with `max` connections. With more than one, the online scripts run too. */
export async function withMigrators(template: string, max = 1) {
  const database = await ownDatabase(template)
  const clients = Array.from({ length: 8 }, () => connect(database.url, { max }))
  onTestFinished(async () => {
    await Promise.all(clients.map(client => client.end({ timeout: 5 })))
  })
  return { ...database, migrators: clients.map(client => drizzle({ client })) }
}
