import { createHash } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { applySettings, execute, query, transaction } from '../query.ts'
import { placeOf } from './failure.ts'
import type { Script, Statement } from './files.ts'
import { tableBeside } from './ledger.ts'
import { DEFAULT_LOCK_TIMEOUT, type LockOptions } from './lock.ts'
import type { Project } from './project.ts'

/** How far a statement that runs in batches has come. */
export interface Progress {
  /** Which statement. */
  place: string
  table: string
  /** The rows of the table that are behind it, also those of a run before this one. */
  rows: number
  /** How many there are, as last analysed; null where that is unknown. */
  total: number | null
  /** Whether it has come to the end. */
  done: boolean
  /** What the statement returned, summed up by its columns. */
  counts: Record<string, number>
}

export interface BatchOptions extends LockOptions {
  /** Called after each batch. */
  onProgress?: (progress: Progress) => void
}

/** How long a batch should take, in milliseconds: for so long it holds the locks on its rows. */
const DURATION = 50

const FIRST_SIZE = 100
const LARGEST_SIZE = 20_000

const SETTINGS = {
  // A batch is a small part of a table, which is found by an index. A table that the batches fill has no statistics yet, and
  // PostgreSQL would read all of it again for each of them.
  enable_seqscan: 'off',
  jit: 'off',
  // If the server crashes, the last batches are lost together with how far they came.
  synchronous_commit: 'off',
}

/** A line of the comment above a statement: `@batches public.orders by id`. */
const MARK = /^--\s*@batches\s+(\S+)\s+by\s+(\S+)\s*$/m

/** The table that a statement goes through in batches, and the unique column that it goes by, if it does. */
export function batchesOf({ sql }: Statement): { table: string; key: string } | undefined {
  const [, table, key] = MARK.exec(sql) ?? []
  return table && key ? { table, key } : undefined
}

/**
 * Runs a statement again and again in short transactions, for one range of keys after the other: between `$1` and `$2`,
 * both included. How far it is stands in a table beside the ledger, so that a run that was interrupted goes on from there.
 */
export async function runBatches(
  db: Database,
  project: Project,
  script: Script,
  statement: Statement,
  guard: (tx: Database) => Promise<void>,
  retry: <T>(work: () => Promise<T>) => Promise<T>,
  options: BatchOptions,
): Promise<void> {
  const { lockTimeout = DEFAULT_LOCK_TIMEOUT } = options
  const { table, key } = batchesOf(statement) ?? { table: '', key: '' }
  const cursor = cursorOf(project, script, statement)
  const begin = async (tx: Database) => ({ ...(await cursor.open(tx)), total: await estimateRows(tx, table) })
  let { after, rows, counts, total } = await transaction(db, begin)
  for (let size = FIRST_SIZE; ; ) {
    const run = async (tx: Database) => {
      await applySettings(tx, { ...SETTINGS, lock_timeout: `${lockTimeout}ms` })
      const started = performance.now()
      const range = await nextRange(tx, table, key, after, size)
      if (!range) return undefined
      const sums = { ...counts }
      for (const row of await query(tx, sql.raw(textBetween(statement, range))))
        for (const [name, value] of Object.entries(row)) sums[name] = (sums[name] ?? 0) + Number(value)
      await cursor.write(tx, range.last, rows + range.rows, sums)
      const milliseconds = performance.now() - started
      // Each batch does the same to other rows.
      if (size === FIRST_SIZE) await guard(tx)
      return { ...range, counts: sums, milliseconds }
    }
    const batch = await retry(() => transaction(db, run))
    if (batch) {
      after = batch.last
      rows += batch.rows
      counts = batch.counts
      size = Math.round(Math.min(LARGEST_SIZE, size * 2, Math.max(1, (size * DURATION) / batch.milliseconds)))
    }
    const place = placeOf(script, statement)
    options.onProgress?.({ place, table, rows, total, done: !batch, counts })
    if (!batch) return
  }
}

/** Forgets how far any statement came: a migration was run to its end. */
export async function forgetProgress(tx: Database, project: Project): Promise<void> {
  await tableBeside(project, '_progress').drop(tx)
}

/** The statement as it would run once for all rows. */
export async function asOneBatch(db: Database, statement: Statement): Promise<string> {
  const batches = batchesOf(statement)
  // Without its commits, a block holds at its end whatever it has locked.
  if (!batches) return statement.sql.replace(/^\s*commit;$/gm, '')
  return textBetween(statement, await nextRange(db, batches.table, batches.key, null, LARGEST_SIZE))
}

type Range = { first: string; last: string; rows: number }

async function nextRange(
  tx: Database,
  table: string,
  key: string,
  after: string | null,
  size: number,
): Promise<Range | undefined> {
  const column = sql.identifier(key)
  const rest = after === null ? sql`` : sql`where ${column} > ${after}`
  const [range] = await query<Range>(
    tx,
    sql`select (array_agg(key order by key))[1]::text       as first,
               (array_agg(key order by key desc))[1]::text  as last,
               count(*)::integer                            as rows
          from (select ${column} as key from ${sql.raw(table)} ${rest} order by ${column} limit ${size}) batch
        having count(*) > 0`,
  )
  return range
}

function textBetween({ sql }: Statement, range: Range | undefined): string {
  const literal = (value: string | undefined) =>
    value === undefined ? 'null' : `'${value.replaceAll("'", "''")}'`
  return sql.replace(/\$([12])\b/g, (_, n) => literal(n === '1' ? range?.first : range?.last))
}

/** How far a statement is, in the table beside the ledger. */
function cursorOf(project: Project, script: Script, statement: Statement) {
  const { identifier, create } = tableBeside(project, '_progress')
  const id = `${script.path} ${script.statements.indexOf(statement) + 1}`
  // Of a statement that was edited, what was done counts for nothing.
  const hash = createHash('sha256').update(statement.sql).digest('hex')
  return {
    open: async (tx: Database) => {
      await create(
        tx,
        sql`(
          script  text primary key,
          hash    text not null,
          after   text,
          rows    bigint not null,
          counts  text not null
        )`,
      )
      const [row] = await query<{ after: string; rows: number; counts: string }>(
        tx,
        sql`select after, rows::float8 as rows, counts from ${identifier} where script = ${id} and hash = ${hash}`,
      )
      return row
        ? { ...row, counts: JSON.parse(row.counts) as Record<string, number> }
        : { after: null, rows: 0, counts: {} }
    },
    write: (tx: Database, after: string, rows: number, counts: Record<string, number>) =>
      execute(
        tx,
        sql`insert into ${identifier} (script, hash, after, rows, counts)
            values (${id}, ${hash}, ${after}, ${rows}, ${JSON.stringify(counts)})
            on conflict (script) do update
           set hash = excluded.hash, after = excluded.after, rows = excluded.rows, counts = excluded.counts`,
      ),
  }
}

async function estimateRows(db: Database, table: string): Promise<number | null> {
  const [row] = await query<{ rows: number }>(
    db,
    sql`select reltuples::float8 as rows from pg_catalog.pg_class where oid = to_regclass(${table})`,
  )
  return row && row.rows >= 0 ? row.rows : null
}
