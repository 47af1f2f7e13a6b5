import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalog, Facts, Scope } from './read.ts'

/** `catalog.json` of every migration that has one, by the migration's name, in the order they are applied. */
export function readCatalogs(folder: string): Map<string, Catalog> {
  const catalogs = new Map<string, Catalog>()
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name, 'catalog.json')
    if (existsSync(path)) catalogs.set(name, parseCatalog(readFileSync(path, 'utf8')))
  }
  return catalogs
}

/** What is known of a database at a migration: its `catalog.json`, or the last one before it. */
export function catalogAt(catalogs: Map<string, Catalog>, name: string): Catalog | undefined {
  return [...catalogs].findLast(([migration]) => migration <= name)?.[1]
}

/** A line for each fact, and a list for text of several lines, so that a review shows what changed. */
export function formatCatalog(catalog: Catalog): string {
  const lines = (facts: Facts) =>
    Object.fromEntries(
      Object.entries(facts).map(([fact, is]) => [fact, is.includes('\n') ? is.split('\n') : is]),
    )
  const objects = Object.entries(catalog).map(([object, facts]) => [object, lines(facts)])
  return `${JSON.stringify(Object.fromEntries(objects), null, 2)}\n`
}

function parseCatalog(text: string): Catalog {
  const catalog: Record<string, Record<string, string | string[]>> = JSON.parse(text)
  return Object.fromEntries(
    Object.entries(catalog).map(([object, facts]) => [
      object,
      Object.fromEntries(
        Object.entries(facts).map(([fact, is]) => [fact, typeof is === 'string' ? is : is.join('\n')]),
      ),
    ]),
  )
}

/** The names to look for in a database to compare it with any of these catalogs. */
export function namesIn(catalogs: Iterable<Catalog>, { foreignTables }: Scope): string[] {
  const names = new Set<string>()
  for (const catalog of catalogs) {
    for (const [object, facts] of Object.entries(catalog)) {
      names.add(nameOf(object))
      if (!foreignTables.includes(nameOf(object))) continue
      for (const fact of Object.keys(facts)) names.add(nameOf(fact))
    }
  }
  return [...names]
}

/** `table public.llms` → `public.llms`; `function f(a integer, b text)` → `f(a integer, b text)`. */
export function nameOf(object: string): string {
  return object.replace(/^(?:partitioned |materialized |foreign )?[a-z]+ /, '')
}
