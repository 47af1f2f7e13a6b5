import { eq, getTableName } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { withoutPassword } from '../database-url.ts'
import { check, hasDrift, migrate } from '../migrate.ts'
import { llms, memories, profiles, systemAgents } from '../schema.ts'
import { seed } from '../seed.ts'
import { readAccepted } from './accepted.ts'
import { reportCheck } from './check.ts'
import { type Cli, type Define, exitCodes } from './cli.ts'
import { confirm } from './confirm.ts'
import { configuredUrl, withDatabase } from './connect.ts'
import { reportMigrations } from './migrate.ts'
import { port } from './options.ts'
import { progress } from './progress.ts'
import { reportSeed } from './seed.ts'

export const define: Define = (command, cli) => {
  command
    .option(...port)
    .option('--yes', 'do not ask before changing the database of DATABASE_URL')
    .action(async ({ yes, port }) => {
      const configured = configuredUrl(cli.io)
      await withDatabase({ ...cli, port }, async (db, where, connected) => {
        if (configured !== undefined) {
          // There is nothing to ask about a database that does not answer.
          await db.$client`select 1`
          await confirm(cli, `DATABASE_URL is set. Migrate and seed ${withoutPassword(configured)}?`, yes)
        }
        const migrations = await migrate(db, { ...where, ...progress(cli, 'applying', 'applied') })
        reportMigrations(migrations, cli)
        const seeded = await seed(db)
        reportSeed(seeded, cli)
        const checked = await check(db, { ...where, accepted: readAccepted(cli.io) })
        reportCheck(checked, cli)
        const summary = await reportSummary(db, cli)
        // Only the local server's password is shown.
        const url = configured === undefined ? connected : withoutPassword(connected)
        cli.line(`\n${url}`)
        if (configured === undefined) cli.line(`The server keeps running; \`${cli.self} db stop\` stops it.`)
        if (hasDrift(checked)) cli.error('The database does not match its migrations; see above.')
        const document = { url, migrations, seed: seeded, check: checked, ...summary }
        cli.finish(document, hasDrift(checked) ? exitCodes.drift : exitCodes.done)
      })
    })
}

/** Shows the size of each table, the models and the agents. */
async function reportSummary(db: Database, cli: Cli) {
  const tables: { name: string; rows: number }[] = []
  for (const table of [llms, memories, profiles, systemAgents]) {
    tables.push({ name: getTableName(table), rows: await db.$count(table) })
  }
  const models = await db
    .select({ code: llms.modelCode, provider: llms.provider, status: llms.status })
    .from(llms)
    .orderBy(llms.modelCode)
  const agents = await db
    .select({ type: systemAgents.agentType, model: llms.modelCode, status: systemAgents.status })
    .from(systemAgents)
    .innerJoin(llms, eq(llms.id, systemAgents.llmId))
    .orderBy(systemAgents.agentType)
  const show = (heading: string[], rows: object[]) => {
    cli.line()
    cli.table(heading, rows.map(Object.values))
  }
  show(['table', 'rows'], tables)
  show(['model', 'provider', 'status'], models)
  show(['agent', 'model', 'status'], agents)
  return { tables, models, agents }
}
