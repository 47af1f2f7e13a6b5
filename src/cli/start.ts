import { eq, getTableName, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { check, hasDrift, migrate } from '../migrate.ts'
import { llms, memories, profiles, systemAgents } from '../schema.ts'
import { defaultSeedFiles, seed } from '../seed.ts'
import { reportCheck } from './check.ts'
import { type Command, exitCodes, self } from './command.ts'
import { confirm } from './confirm.ts'
import { configuredUrl, withDatabase, withoutPassword } from './connect.ts'
import { lockSettings, tellSteps } from './locks.ts'
import { reportMigrations } from './migrate.ts'
import { columns, type Output } from './output.ts'
import { reportSeed } from './seed.ts'

export const command: Command = {
  options: { yes: { type: 'boolean' } },
  explain: { yes: 'do not ask before migrating and seeding the database that DATABASE_URL names' },
  async run({ values }, output) {
    const configured = configuredUrl()
    const report = await withDatabase(output, async (db, connected) => {
      if (configured !== undefined) {
        // Whether it answers at all is to be known before the question.
        await db.execute(sql`select 1`)
        const question = `DATABASE_URL is set. Migrate and seed ${withoutPassword(configured)}?`
        await confirm(question, values.yes === true)
      }
      const migrations = await migrate(db, {
        ...lockSettings({}, output),
        ...tellSteps('applying', 'applied', output),
      })
      reportMigrations(migrations, output)
      const seeded = await seed(db, defaultSeedFiles())
      reportSeed(seeded, output)
      const checked = await check(db)
      reportCheck(checked, output)
      // The local server's password is its user's to know.
      const url = configured === undefined ? connected : withoutPassword(connected)
      return { url, migrations, seed: seeded, check: checked, ...(await summarise(db)) }
    })
    reportSummary(report, output)
    output.line()
    output.line(report.url)
    if (configured === undefined) output.line(`The server keeps running; \`${self} db stop\` ends it.`)
    output.result(report)
    if (!hasDrift(report.check)) return exitCodes.done
    output.note('But the database is not what its migrations say: see above.')
    return exitCodes.drift
  },
}

interface Summary {
  tables: { name: string; rows: number }[]
  models: { code: string; provider: string; status: string }[]
  agents: { type: string; model: string; status: string }[]
}

async function summarise(db: Database): Promise<Summary> {
  const tables = []
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
  return { tables, models, agents }
}

function reportSummary({ tables, models, agents }: Summary, output: Output): void {
  const section = (heading: string[], rows: string[][]) => {
    output.line()
    for (const line of columns([heading, ...rows])) output.line(line)
  }
  section(
    ['table', 'rows'],
    tables.map(({ name, rows }) => [name, String(rows)]),
  )
  section(
    ['model', 'provider', 'status'],
    models.map(({ code, provider, status }) => [code, provider, status]),
  )
  section(
    ['agent', 'model', 'status'],
    agents.map(({ type, model, status }) => [type, model, status]),
  )
}
