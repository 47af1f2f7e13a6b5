import postgres from 'postgres'

/** What came of a statement: rows, or PostgreSQL's refusal. */
export type Outcome = { rows: number } | { sqlState: string }

export type Verb = 'select' | 'insert' | 'update' | 'delete' | 'truncate'
export const verbs: Verb[] = ['select', 'insert', 'update', 'delete', 'truncate']

class Undo extends Error {
  rows: number
  constructor(rows: number) {
    super()
    this.rows = rows
  }
}

interface Attempt {
  verb: Verb
  /** A table or view, with its schema. */
  relation: string
  /** A row that the table has: what `insert` inserts. */
  row: string
  /** As whom; the connection's own role unless given. */
  role?: string
  /** What happens before, in the same transaction, in the connection's own role. */
  first?: (tx: postgres.TransactionSql) => Promise<unknown>
}

/** Tries a statement, in a transaction that is rolled back. */
export async function attempt(
  sql: postgres.Sql,
  { verb, relation, row, role, first }: Attempt,
): Promise<Outcome> {
  try {
    await sql.begin(async tx => {
      await first?.(tx)
      if (role !== undefined) await tx`select set_config('role', ${role}, true)`
      throw new Undo(await run(tx, verb, relation, row))
    })
  } catch (error) {
    if (error instanceof Undo) return { rows: error.rows }
    if (error instanceof postgres.PostgresError) return { sqlState: error.code }
    throw error
  }
  throw new Error('committed')
}

async function run(tx: postgres.TransactionSql, verb: Verb, relation: string, row: string): Promise<number> {
  const table = tx(relation)
  const key = tx(keyOf(relation))
  switch (verb) {
    case 'select':
      return (await tx`select * from ${table}`).count
    case 'insert':
      return (
        await tx`insert into ${table} select * from jsonb_populate_record(null::${table}, ${row}::text::jsonb)`
      ).count
    case 'update':
      return (await tx`update ${table} set ${key} = ${key}`).count
    case 'delete':
      return (await tx`delete from ${table}`).count
    case 'truncate':
      await tx`truncate ${table} cascade`
      // It does not say how many; that it was let through is what matters.
      return 1
  }
}

function keyOf(relation: string): string {
  if (relation === 'archive.memory_agents') return 'memory_id'
  if (relation === 'archive.profile_settings') return 'profile_id'
  return 'id'
}

/** Nothing came out of it: refused for want of privilege, or no row was found. */
export function gotNothing(outcome: Outcome): boolean {
  return 'rows' in outcome ? outcome.rows === 0 : outcome.sqlState === '42501'
}

/**
 * It met rows: some were found, or the row was there already (23505), or others refer to it
 * (23503, since PostgreSQL 18 23001 where the key says restrict).
 */
export function metRows(outcome: Outcome): boolean {
  return 'rows' in outcome ? outcome.rows > 0 : ['23001', '23503', '23505'].includes(outcome.sqlState)
}
