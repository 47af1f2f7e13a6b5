import { createDatabase } from '../src/database.ts'
import { migrate } from '../src/migrate.ts'
import { drizzleKit, run, withBuiltCommand } from './command.ts'
import { readOptions } from './options.ts'
import { withScratch } from './scratch.ts'
import { alternate, median, ms, print, timed } from './statistics.ts'

/*
 * How long the built command takes from its start to its end where there is nothing to do, beside a bare `node`, one
 * after another in every round.
 */
const { rounds } = readOptions('startup', { rounds: 20 })

/** How many milliseconds more than a bare `node` it may take. */
const targets: Record<string, number> = {
  'agents-db --version': 250,
  'agents-db migrate': 300,
}

await withBuiltCommand(main =>
  withScratch(async ({ urlOf }) => {
    const env = { DATABASE_URL: urlOf('agents') }
    const db = createDatabase(env.DATABASE_URL, { max: 2 })
    await migrate(db)
    await db.$client.end()
    const node = (...args: string[]) => timed(() => run(process.execPath, args, { env }))
    const times = await alternate(
      {
        'node -e 0': () => node('-e', '0'),
        'agents-db --version': () => node(main, '--version'),
        'agents-db status': () => node(main, 'status'),
        'agents-db migrate': () => node(main, 'migrate'),
        'agents-db check': () => node(main, 'check'),
        'drizzle-kit migrate': () => timed(() => run(drizzleKit, ['migrate'], { env })),
      },
      rounds,
    )
    const floor = median(times['node -e 0'] ?? [])
    const rows = Object.entries(times).map(([name, of]) => {
      const more = median(of) - floor
      const target = targets[name]
      const verdict = target === undefined ? '' : `${more < target ? 'under' : 'OVER'} ${target} ms`
      return [name, ms(median(of)), ms(Math.min(...of)), ms(Math.max(...of)), ms(more), verdict]
    })
    const heading = ['', 'median', 'fastest', 'slowest', 'more than node', 'target']
    print(`start-up with nothing to do, ${rounds} rounds`, [heading, ...rows])
  }),
)
