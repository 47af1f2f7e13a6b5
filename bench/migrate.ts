import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import postgres from 'postgres'
import { createDatabase } from '../src/database.ts'
import { type MigrateOptions, migrate, packagedMigrations } from '../src/migrate.ts'
import { readMigrations } from '../src/migrator/files.ts'
import { drizzleKit, run, withBuiltCommand } from './command.ts'
import { baseline, makeBaseline } from './fill.ts'
import { readOptions } from './options.ts'
import { withScratch } from './scratch.ts'
import { alternate, median, ms, print, timed } from './statistics.ts'

/*
 * How long the whole migration takes, on an empty database and on a filled one of the older deployment, beside the
 * same SQL given to the server in one go, in one transaction, and beside `drizzle-kit migrate`.
 */
const { users, rounds } = readOptions('migrate', { users: 20_000, rounds: 5 })
const psql = 'psql'
const hasPsql = spawnSync(psql, ['--version']).status === 0

await withBuiltCommand(main =>
  withScratch(
    async scratch => {
      const all = readMigrations(packagedMigrations())
      const since = all.slice(1 + all.findIndex(({ name }) => name.endsWith(`_${baseline}`)))
      await makeBaseline(scratch, 'filled', users)
      for (const [template, migrations, title] of [
        ['template1', all, 'an empty database'],
        ['filled', since, `from the baseline, ${users} users, ${users * 5} memories`],
      ] as const) {
        const url = scratch.urlOf('bench')
        const env = { DATABASE_URL: url }
        const statements = migrations.flatMap(({ up }) => up.statements.map(({ sql }) => sql))
        const file = join(dirname(main), 'bench.sql')
        await writeFile(file, statements.join('\n\n'))
        const onNew = (work: () => Promise<unknown>) => async () => {
          await scratch.clone('bench', template)
          return await timed(work)
        }
        const options = ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', file, url]
        const times = await alternate(
          {
            ...(hasPsql ? { 'psql, one transaction': onNew(() => run(psql, options)) } : {}),
            'driver, one transaction': onNew(() => inOneGo(url, statements)),
            'migrate(), without online parts': onNew(() => ours(url, { online: false })),
            'migrate()': onNew(() => ours(url)),
            'agents-db migrate': onNew(() => run(process.execPath, [main, 'migrate'], { env })),
            'drizzle-kit migrate': onNew(() => run(drizzleKit, ['migrate'], { env })),
          },
          rounds,
        )
        const floor = median(Object.values(times)[0] ?? [])
        const rows = Object.entries(times).map(([name, of]) => [
          name,
          ...[median(of), Math.min(...of), Math.max(...of)].map(ms),
          `${(median(of) / floor).toFixed(1)} x`,
        ])
        const heading = ['', 'median', 'fastest', 'slowest', 'beside the first']
        print(`the whole migration, ${title}, ${rounds} rounds`, [heading, ...rows])
      }
    },
    { max_wal_size: '4GB', shared_buffers: '512MB' },
  ),
)

async function inOneGo(url: string, statements: string[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql.begin(async tx => {
    for (const statement of statements) await tx.unsafe(statement)
  })
  await sql.end()
}

async function ours(url: string, options: MigrateOptions = {}): Promise<void> {
  const db = createDatabase(url, { max: 2 })
  await migrate(db, options)
  await db.$client.end()
}
