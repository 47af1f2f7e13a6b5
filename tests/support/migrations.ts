import { readdirSync } from 'node:fs'
import { readCatalogs } from '../../src/catalog/files.ts'
import type { Catalog } from '../../src/catalog/read.ts'
import type { Database } from '../../src/database.ts'
import { migrate, packagedMigrations, rollback, status } from '../../src/migrate.ts'

/** The package's migrations, in their order. */
export const names = readdirSync(packagedMigrations()).sort()

/** The last of them. */
export const last = names.at(-1)!

/** What each leaves in PostgreSQL's catalogs, by its name. */
export const catalogs = readCatalogs(packagedMigrations())

/** The name of the migration of this title. */
export function named(title: string): string {
  const name = names.find(name => titleOf(name) === title)
  if (!name) throw new Error(`no migration is called ${title}`)
  return name
}

export function catalogAfter(title: string): Catalog {
  return catalogs.get(named(title))!
}

/** Those after the one of this title. */
export function namesAfter(title: string): string[] {
  return names.slice(names.indexOf(named(title)) + 1)
}

export function titleOf(name: string): string {
  return name.slice('YYYYMMDDHHMMSS_'.length)
}
const titles = names.map(titleOf)

/** What Alembic left: the state before the simplification. */
export const baseline = 'grant_agent_tables'

/** The titles of the migrations after the baseline. */
export const migrationsSince = namesAfter(baseline).map(titleOf)

/** A state that a database may be left in, for days if need be: after a step up, or after a step down. */
export interface CommitPoint {
  way: 'up' | 'down'
  /** The title of the last migration that is applied. */
  at: string
}

function pointsOf(passed: string[]): CommitPoint[] {
  return [
    ...passed.map(at => ({ way: 'up' as const, at })),
    ...passed
      .slice(0, -1)
      .reverse()
      .map(at => ({ way: 'down' as const, at })),
  ]
}

/** All of them, in the order in which one database passes them: to the top, and back to the first. */
export const commitPoints = pointsOf(titles)

/** Those that the simplification passes through. */
export const pointsSince = pointsOf(migrationsSince)

/** Takes a database to a commit point that it has yet to pass. */
export async function reach(db: Database, { way, at }: CommitPoint): Promise<void> {
  if (way === 'up') {
    await migrate(db, { to: at })
    return
  }
  const { applied } = await status(db)
  if (!applied.some(({ name }) => titleOf(name) === at)) await migrate(db)
  await rollback(db, { to: at })
}

/** Whether the point is the one after that migration, or a later one. */
export function hasReached(point: CommitPoint, title: string): boolean {
  return named(point.at) >= named(title)
}

/** Migrates a baseline up and down, three times, while `work` is done again and again; says how often it was done. */
export async function upAndDown(db: Database, work: (n: number) => Promise<unknown>): Promise<number> {
  let moving = true
  const working = (async () => {
    let n = 0
    for (; moving; n++) await work(n)
    return n
  })()
  try {
    for (let turn = 0; turn < 3; turn++) {
      await migrate(db)
      await rollback(db, { to: baseline })
    }
  } finally {
    moving = false
  }
  return await working
}
