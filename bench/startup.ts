import { alternate, type Options, percentile, tableOf } from './measure.ts'
import { agentsDb, drizzleKit, migrateTo, run, withScratch } from './scratch.ts'

/** How long a command with nothing to do takes, and an import, compared with `node` alone. */
export default async function startup({ rounds = 20, ...options }: Options) {
  return await withScratch(options, async ({ clone, urlOf }) => {
    await clone('migrated')
    const env = { ...process.env, DATABASE_URL: urlOf('migrated') }
    await migrateTo(env.DATABASE_URL)
    const node =
      (...args: string[]) =>
      () =>
        run(process.execPath, args, { env })
    const load = (entry: string) =>
      node('--input-type=module', '--eval', `import ${JSON.stringify(import.meta.resolve(entry))}`)
    const selectOne = `
      import postgres from ${JSON.stringify(import.meta.resolve('postgres'))}
      const sql = postgres(process.env.DATABASE_URL, { fetch_types: false })
      await sql\`select 1\`
      await sql.end()`
    const times = await alternate(
      {
        'node -e 0': node('-e', '0'),
        'postgres.js, select 1': node('--input-type=module', '--eval', selectOne),
        'agents-db --version': node(agentsDb, '--version'),
        'agents-db status': node(agentsDb, 'status'),
        'agents-db migrate': node(agentsDb, 'migrate'),
        'agents-db check': node(agentsDb, 'check'),
        'drizzle-kit migrate': () => run(drizzleKit, ['migrate'], { env }),
        'import drizzle-orm/pg-core': load('drizzle-orm/pg-core'),
        'import @agents/db/schema': load('@agents/db/schema'),
        'import @agents/db': load('@agents/db'),
        'import @agents/db/zod': load('@agents/db/zod'),
        'import @agents/db/migrate': load('@agents/db/migrate'),
        'import @agents/db/seed': load('@agents/db/seed'),
      },
      rounds,
    )
    const goal = {
      what: '`agents-db status`, more than `node -e 0`',
      found: percentile(times['agents-db status']) - percentile(times['node -e 0']),
      limit: 120,
      unit: 'ms' as const,
    }
    return [{ title: `start-up with nothing to do, ${rounds} rounds`, table: tableOf(times), goals: [goal] }]
  })
}
