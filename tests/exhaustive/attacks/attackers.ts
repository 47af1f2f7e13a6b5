import postgres from 'postgres'

/** A relation that is attacked, with its schema, and a row that it has, as JSON. */
export interface Target {
  relation: string
  isTable: boolean
  row: string
}

/** What somebody may try on a relation. */
interface Attack {
  sql: (target: Target & { key: string; values: string }) => string
  /** Whether row level security stands in its way, so that not even a grant opens it. */
  isBehindPolicies?: boolean
  /** Whether it is for tables alone: a view is not truncated. */
  isForTables?: boolean
}

const reads = (sql: Attack['sql']): Attack => ({ sql, isBehindPolicies: true })
const ofTables = (sql: Attack['sql']): Attack => ({ sql, isForTables: true })

/** What clients are proven to be denied, at every commit point. Add a line, and every migration is attacked with it. */
export const attacks: Record<string, Attack> = {
  select: reads(({ relation }) => `select * from ${relation}`),
  'select a column': reads(({ relation, key }) => `select ${key} from ${relation}`),
  'select for update': { sql: ({ relation }) => `select * from ${relation} for update` },
  'select without row level security': {
    sql: ({ relation }) => `set local row_security = off; select * from ${relation}`,
  },
  'select through a function': {
    sql: ({ relation }) =>
      `select from query_to_xml('select * from ${relation}', true, true, '') x where x::text <> ''`,
  },
  'select through a view of its own': {
    sql: ({ relation }) => `create temp view mine as select * from ${relation}; select * from mine`,
  },
  insert: reads(({ relation, values }) => `insert into ${relation} ${values}`),
  upsert: {
    ...reads(
      ({ relation, key, values }) =>
        `insert into ${relation} ${values} on conflict (${key}) do update set ${key} = excluded.${key}`,
    ),
    isForTables: true,
  },
  update: reads(({ relation, key }) => `update ${relation} set ${key} = ${key}`),
  'update, and read': reads(({ relation, key }) => `update ${relation} set ${key} = ${key} returning *`),
  delete: reads(({ relation }) => `delete from ${relation}`),
  merge: {
    ...reads(({ relation }) => `merge into ${relation} using (select) one on true when matched then delete`),
    isForTables: true,
  },
  truncate: ofTables(({ relation }) => `truncate ${relation} cascade`),
  lock: ofTables(({ relation }) => `lock ${relation} in access exclusive mode`),
  'add a trigger': ofTables(
    ({ relation }) =>
      `create trigger theirs before insert on ${relation} for each row execute function suppress_redundant_updates_trigger()`,
  ),
  'add a policy': ofTables(
    ({ relation }) => `create policy theirs on ${relation} using (true) with check (true)`,
  ),
  'switch row level security off': ofTables(
    ({ relation }) => `alter table ${relation} disable row level security`,
  ),
  'add a child': ofTables(({ relation }) => `create temp table child () inherits (${relation})`),
  'take it over': { sql: ({ relation }) => `alter table ${relation} owner to current_user` },
  'grant it': {
    sql: ({ relation }) => `
      do $$ begin
        grant select on ${relation} to public;
        if not has_table_privilege('public', '${relation}', 'select') then raise insufficient_privilege; end if;
      end $$`,
  },
}

/** What came of an attack: rows, or that it was done; or PostgreSQL's error. */
export type Outcome = { rows: number } | { sqlState: string }

class Undo extends Error {
  rows: number
  constructor(rows: number) {
    super()
    this.rows = rows
  }
}

interface Attempt {
  /** As whom; the connection's own role unless given. */
  role?: string
  /** Whose token it has: PostgREST tells the database so. */
  user?: string
  /** What happens before, in the same transaction, in the connection's own role. */
  first?: (tx: postgres.TransactionSql) => Promise<unknown>
}

/** Tries a statement, in a transaction that is rolled back. */
export async function attempt(
  sql: postgres.Sql,
  statement: string,
  { role, user, first }: Attempt = {},
): Promise<Outcome> {
  try {
    await sql.begin(async tx => {
      await first?.(tx)
      const claims = JSON.stringify({ sub: user, role })
      if (role !== undefined)
        await tx`select set_config('request.jwt.claims', ${claims}, true), set_config('role', ${role}, true)`
      const results = await tx.unsafe(statement)
      const last = Array.isArray(results[0]) || results.count === undefined ? results.at(-1) : results
      const { command, count } = last as { command: string; count: number | null }
      // A command that tells no number was done, and that is what matters.
      throw new Undo(/^(SELECT|INSERT|UPDATE|DELETE|MERGE)/.test(command) ? (count ?? 0) : 1)
    })
  } catch (error) {
    if (error instanceof Undo) return { rows: error.rows }
    if (error instanceof postgres.PostgresError) return { sqlState: error.code }
    throw error
  }
  throw new Error('committed')
}

const keys: Record<string, string> = {
  'archive.memory_agents': 'memory_id',
  'archive.profile_settings': 'profile_id',
}

/** The statement of an attack on a relation. */
export function statementOf({ sql }: Attack, target: Target): string {
  const { relation, row } = target
  const key = keys[relation] ?? 'id'
  const values = `select * from jsonb_populate_record(null::${relation}, '${row.replaceAll("'", "''")}')`
  return sql({ ...target, key, values })
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
