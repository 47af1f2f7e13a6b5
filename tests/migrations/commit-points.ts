import { migrate, rollback } from '../../src/migrations/index.ts'
import type { TestDatabase } from '../support/database.ts'
import { after } from '../support/migrations.ts'

/** What Alembic left: the state before the simplification. */
export const baseline = 'secure_the_agent_tables'

/** The migrations after the baseline. A database may stay for days where any of them ends. */
export const migrationsSince = after(baseline).map(name => name.slice('YYYYMMDDHHMMSS_'.length))

export interface CommitPoint {
  to: string
  way: 'up' | 'down'
}

/** Every state that the simplification passes through, on the way up and on the way down. */
export const commitPoints: CommitPoint[] = [
  ...migrationsSince.map(to => ({ to, way: 'up' as const })),
  ...migrationsSince
    .slice(0, -1)
    .reverse()
    .map(to => ({ to, way: 'down' as const })),
]

/** Brings a database from the baseline to a commit point. */
export async function arrive({ db }: TestDatabase, { to, way }: CommitPoint): Promise<void> {
  await migrate(db, way === 'up' ? { to } : {})
  if (way === 'down') await rollback(db, { to })
}
