import { sql } from 'drizzle-orm'
import { namesIn, readCatalogs } from '../src/catalog/files.ts'
import { readCatalog } from '../src/catalog/read.ts'
import { createDatabase } from '../src/database.ts'
import { check, packagedMigrations } from '../src/migrate.ts'
import { probe } from '../src/platform/probes/probe.ts'
import { project } from '../src/platform/project.ts'
import { alternate, printTimes, type Sizes } from './measure.ts'
import { migrateTo, withScratch } from './scratch.ts'

/** How long `check()` and its parts take, compared with one round trip. */
export default async function measureCheck({ rounds = 50 }: Sizes): Promise<void> {
  await withScratch(async ({ clone, urlOf }) => {
    await clone('migrated')
    await migrateTo(urlOf('migrated'))
    const db = createDatabase(urlOf('migrated'), { max: 2 })
    const { scope } = project()
    const catalogs = readCatalogs(packagedMigrations())
    const catalog = [...catalogs.values()].at(-1) ?? {}
    const names = namesIn(catalogs.values(), scope)
    const times = await alternate(
      {
        'select 1': () => db.execute(sql`select 1`),
        'reading the catalogs': () => readCatalog(db, scope, names),
        'probe()': () => probe(db, catalog),
        'check(), all of it': () => check(db),
      },
      rounds,
    )
    printTimes(`check() and its ${(await probe(db, catalog)).length} probes, ${rounds} rounds`, times)
    await db.$client.end()
  })
}
