import { sql } from 'drizzle-orm'
import { namesIn, readCatalogs } from '../src/catalog/files.ts'
import { readCatalog } from '../src/catalog/read.ts'
import { createDatabase } from '../src/database.ts'
import { check, migrate, packagedMigrations } from '../src/migrate.ts'
import { probe } from '../src/platform/probes/probe.ts'
import { project } from '../src/platform/project.ts'
import { readOptions } from './options.ts'
import { withScratch } from './scratch.ts'
import { alternate, median, ms, percentile, print, timed } from './statistics.ts'

/* How long `check()` and its parts take on a migrated database, beside one round trip to it. */
const { rounds } = readOptions('check', { rounds: 50 })

await withScratch(async ({ urlOf }) => {
  const db = createDatabase(urlOf('agents'), { max: 2 })
  try {
    await migrate(db)
    const { scope } = project()
    const catalogs = readCatalogs(packagedMigrations())
    const catalog = [...catalogs.values()].at(-1) ?? {}
    const names = namesIn(catalogs.values(), scope)
    const times = await alternate(
      {
        'select 1': () => timed(() => db.execute(sql`select 1`)),
        'reading the catalogs': () => timed(() => readCatalog(db, scope, names)),
        'probe()': () => timed(() => probe(db, catalog)),
        'check(), all of it': () => timed(() => check(db)),
      },
      rounds,
    )
    const floor = median(times['select 1'] ?? [])
    const rows = Object.entries(times).map(([name, of]) => [
      name,
      ms(median(of)),
      ms(percentile(of, 99)),
      `${Math.round(median(of) / floor)} x`,
    ])
    const tried = (await probe(db, catalog)).length
    print(`check() and its ${tried} probes, ${rounds} rounds`, [
      ['', 'median', 'p99', 'beside a round trip'],
      ...rows,
    ])
  } finally {
    await db.$client.end()
  }
})
