import { sql } from 'drizzle-orm'
import { namesIn, readCatalogs } from '../src/catalog/files.ts'
import { readCatalog } from '../src/catalog/read.ts'
import { createDatabase } from '../src/database.ts'
import { check, packagedMigrations } from '../src/migrate.ts'
import { probe } from '../src/platform/probes/probe.ts'
import { project } from '../src/platform/project.ts'
import { alternate, type Options, ratio, tableOf } from './measure.ts'
import { addMemories } from './memories.ts'
import { migrateTo, withScratch } from './scratch.ts'

/** How long `check()` and its parts take on an empty and on a filled database, compared with one round trip. */
export default async function measureCheck({ rounds = 50, memories = 1_000_000, ...options }: Options) {
  return await withScratch(options, async scratch => {
    const { clone, urlOf } = scratch
    await clone('empty')
    await migrateTo(urlOf('empty'))
    await clone('filled', 'empty')
    await addMemories(scratch, 'filled', memories)
    const [empty, filled] = ['empty', 'filled'].map(name => createDatabase(urlOf(name), { max: 2 }))
    if (!empty || !filled) throw new Error('nothing to measure')
    const { scope } = project()
    const catalogs = readCatalogs(packagedMigrations())
    const catalog = [...catalogs.values()].at(-1) ?? {}
    const names = namesIn(catalogs.values(), scope)
    const full = `check(), ${memories.toLocaleString('en')} memories`
    const times = await alternate(
      {
        'select 1': () => empty.execute(sql`select 1`),
        'reading the catalogs': () => readCatalog(empty, scope, names),
        'probe()': () => probe(empty, catalog),
        'check(), empty tables': () => check(empty),
        [full]: () => check(filled),
      },
      rounds,
    )
    const probes = (await probe(empty, catalog)).length
    for (const db of [empty, filled]) await db.$client.end()
    const goal = {
      what: `${full} beside empty tables`,
      found: ratio(times, full, 'check(), empty tables'),
      limit: 1.5,
      unit: 'x' as const,
    }
    return [
      { title: `check() and its ${probes} probes, ${rounds} rounds`, table: tableOf(times), goals: [goal] },
    ]
  })
}
