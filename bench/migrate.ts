import { packagedMigrations } from '../src/migrate.ts'
import { readMigrations } from '../src/migrator/files.ts'
import { alternate, type Options, type Report, ratio, tableOf } from './measure.ts'
import {
  agentsDb,
  baseline,
  drizzleKit,
  makeBaseline,
  migrateTo,
  run,
  using,
  withScratch,
} from './scratch.ts'

/** How long all migrations take on an empty and on a filled database, compared with the same SQL in one transaction. */
export default async function measureMigrate({ users = 20_000, rounds = 5, ...options }: Options) {
  return await withScratch(options, async scratch => {
    const reports: Omit<Report, 'bench'>[] = []
    const { clone, urlOf } = scratch
    await makeBaseline(scratch, 'filled', users)
    const all = readMigrations(packagedMigrations())
    const since = all.slice(1 + all.findIndex(({ name }) => name.endsWith(`_${baseline}`)))
    const url = urlOf('bench')
    const env = { ...process.env, DATABASE_URL: url }
    for (const [template, migrations, title] of [
      ['template1', all, 'an empty database'],
      ['filled', since, `from the baseline, ${users} users, ${users * 5} memories`],
    ] as const) {
      const statements = migrations.flatMap(({ up }) => up.statements.map(({ sql }) => sql))
      const times = await alternate(
        {
          'driver, one transaction': () => inOneTransaction(url, statements),
          'migrate(), without online parts': () => migrateTo(url, {}, 1),
          'migrate()': () => migrateTo(url),
          'agents-db migrate': () => run(process.execPath, [agentsDb, 'migrate'], { env }),
          'drizzle-kit migrate': () => run(drizzleKit, ['migrate'], { env }),
        },
        rounds,
        { before: () => clone('bench', template) },
      )
      const goal = {
        what: 'migrate() of a filled, quiet database beside the same SQL in one transaction',
        found: ratio(times, 'migrate()', 'driver, one transaction'),
        limit: 1.2,
        unit: 'x' as const,
      }
      const goals = template === 'filled' ? [goal] : []
      reports.push({ title: `all migrations, ${title}, ${rounds} rounds`, table: tableOf(times), goals })
    }
    return reports
  })
}

async function inOneTransaction(url: string, statements: string[]): Promise<void> {
  await using(url, sql =>
    sql.begin(async tx => {
      for (const statement of statements) await tx.unsafe(statement)
    }),
  )
}
