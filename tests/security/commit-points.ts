import type { Database } from '../../src/database.ts'
import { migrate, rollback, status } from '../../src/migrations/index.ts'
import { names as migrations } from '../support/migrations.ts'

/** A state that a database may be left in: after a step up, or after a step down. */
export interface CommitPoint {
  way: 'up' | 'down'
  /** The last migration that is applied, without its timestamp. */
  at: string
}

const names = migrations.map(name => name.slice('YYYYMMDDHHMMSS_'.length))

/** All of them, in the order in which one database passes them: to the top, and back to the first. */
export const commitPoints: CommitPoint[] = [
  ...names.map(at => ({ way: 'up' as const, at })),
  ...names
    .slice(0, -1)
    .reverse()
    .map(at => ({ way: 'down' as const, at })),
]

/** Takes a database to the next commit point. */
export async function reach(db: Database, { way, at }: CommitPoint): Promise<void> {
  if (way === 'up') {
    await migrate(db, { to: at })
    return
  }
  const { applied } = await status(db)
  if (!applied.some(({ name }) => name.endsWith(`_${at}`))) await migrate(db)
  await rollback(db, { to: at })
}

/** Whether the point is the one after that migration, or a later one. */
export function hasReached(point: CommitPoint, name: string): boolean {
  if (!names.includes(name)) throw new Error(`no migration is called ${name}`)
  return names.indexOf(point.at) >= names.indexOf(name)
}
