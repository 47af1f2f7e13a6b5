import type { Database } from '../database.ts'
import type { Script } from './files.ts'
import { locksOf } from './locks-of.ts'
import { findPending, type Target } from './pending.ts'
import type { Lock } from './reading.ts'
import { type Relation, type Relations, readRelations } from './relations.ts'

export interface PlannedStatement {
  sql: string
  line: number
  /** On tables that others can see already, the strongest first; never weaker than what PostgreSQL takes. */
  locks: Lock[]
  /** How many rows it moves at most, as far as was last analysed; null where unknown, left out where it moves none. */
  rows?: number | null
}

export interface PlannedScript {
  /** `online.sql` runs first, each statement on its own; `migration.sql` in one transaction. */
  file: Script['file']
  statements: PlannedStatement[]
}

export interface PlannedMigration {
  name: string
  scripts: PlannedScript[]
}

/**
 * Says what `migrate` would run, what each statement would lock, and how many rows it would move. Writes nothing;
 * of all tables it reads the ledger alone.
 *
 * @throws MigrationError as `migrate` does before anything runs
 */
export async function planMigration(db: Database, options: Target = {}): Promise<PlannedMigration[]> {
  const { pending } = await findPending(db, options)

  // Each statement finds what those before it have left.
  const relations = await readRelations(db)
  return pending.map(({ name, upOnline, up }) => ({
    name,
    scripts: [upOnline, up].flatMap(script => (script ? [planScript(script, relations)] : [])),
  }))
}

function planScript({ file, statements }: Script, relations: Relations): PlannedScript {
  const made = new Set<Relation>()
  return {
    file,
    statements: statements.map(({ sql, line }) => {
      if (file === 'online.sql') made.clear()
      return { sql, line, ...locksOf(sql, relations, made) }
    }),
  }
}
