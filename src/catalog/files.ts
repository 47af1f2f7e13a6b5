import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalog, Scope } from './read.ts'

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
  const lines = (_: string, value: unknown) =>
    typeof value === 'string' && value.includes('\n') ? value.split('\n') : value
  return `${JSON.stringify(catalog, lines, 2)}\n`
}

function parseCatalog(text: string): Catalog {
  return JSON.parse(text, (_, value) => (Array.isArray(value) ? value.join('\n') : value))
}

/** The names to look for in a database to compare it with any of these catalogs. */
export function namesIn(catalogs: Iterable<Catalog>, { externalTables }: Scope): string[] {
  const names = new Set<string>()
  for (const catalog of catalogs) {
    for (const [object, facts] of Object.entries(catalog)) {
      names.add(nameOf(object))
      if (!externalTables.includes(nameOf(object))) continue
      for (const fact of Object.keys(facts)) names.add(nameOf(fact))
    }
  }
  return [...names]
}

/** `table public.llms` → `public.llms`; `function f(a integer, b text)` → `f(a integer, b text)`. */
export function nameOf(object: string): string {
  return object.replace(/^(?:partitioned |materialized |foreign )?[a-z]+ /, '')
}
