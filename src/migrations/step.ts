import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, query, transaction } from '../query.ts'
import { MigrationError, refusalOf } from './error.ts'
import type { Migration, Script, Statement } from './files.ts'
import { ensureLedger, type LedgerEntry, readLedger } from './ledger.ts'
import { defaultLockTimeout, inTurn, type LockOptions, untilUnlocked } from './lock.ts'
import { passVacuum } from './vacuum.ts'
import { tellHolders, watchLocks } from './waiting.ts'

export interface StepOptions extends LockOptions {
  /** Run `online.sql` and `down.online.sql`, for which the database needs a second connection; true unless given. */
  online?: boolean
  /** Called before each step. */
  onStep?: (name: string) => void
  /** Called after each step, once it is committed. */
  onDone?: (name: string, milliseconds: number) => void
}

interface Step {
  migration: Migration
  script: Script
  /** Run first in the same transaction. */
  check?: Script | undefined
  online: Script | undefined
  /** Whether, under the lock, the step is still to be done; throws where it must not be. */
  due: (ledger: LedgerEntry[]) => boolean
  /** Writes the ledger. */
  settle: (db: Database, migration: Migration) => Promise<void>
}

/**
 * Does one step: its online part, each statement outside a transaction, then the step itself in one transaction
 * with its row in the ledger. The transaction is opened first, and holds an advisory lock for as long as it lasts,
 * so that one migrator is at work at a time: the ledger is read again under it.
 *
 * @returns whether it was done here, and not by another migrator meanwhile
 * @throws MigrationError
 */
export async function takeStep(db: Database, step: Step, options: StepOptions): Promise<boolean> {
  const { lockTimeout = defaultLockTimeout } = options
  let online = options.online !== false && connectionsOf(db) > 1 ? step.online : undefined

  const attempt = () =>
    inTurn(db, async tx => {
      await ensureLedger(tx)
      if (!step.due(await readLedger(tx))) return false
      // A step may take its time, and the online part leaves this transaction idle. Without parameters, and last before
      // it: so the driver asks in PostgreSQL's simple way, which leaves no snapshot for an index build to wait for.
      await execute(
        tx,
        sql`select set_config(name, '0', true)
              from pg_catalog.pg_settings
             where name in ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout')`,
      )
      if (online) await runOnline(db, step, online, options)
      online = undefined
      // drizzle-kit writes table names without their schema.
      await execute(
        tx,
        sql`select set_config('search_path', 'public', true),
                   set_config('lock_timeout', ${`${lockTimeout}ms`}, true)`,
      )
      if (step.check) await runScript(db, tx, step, step.check, lockTimeout)
      await runScript(db, tx, step, step.script, lockTimeout)
      await step.settle(tx, step.migration)
      return true
    })
  return await untilUnlocked(options, attempt, () => passVacuum(db, textOf(step.script.statements)))
}

/** What state the refusal of a statement leaves the database in. */
const states: Record<Script['file'], string> = {
  'online.sql':
    'Its online part may be done in part and is safe to run again; the step itself was not begun.',
  'migration.sql': 'Nothing of this step was applied.',
  'down.online.sql':
    'Its online part may be done in part and is safe to run again; the step itself was not begun.',
  'down.check.sql': 'Nothing of this step was undone.',
  'down.sql': 'Nothing of this step was undone.',
}

/** Says by folder, file and place what PostgreSQL refused, and what state that leaves the database in. */
export function statementFailed(
  { migration }: { migration: Migration },
  script: Script,
  statement: Statement,
  cause: unknown,
  holders: string[] = [],
): MigrationError {
  const { message, code, detail, hint } = refusalOf(cause)
  const lines = [
    `${placeOf({ migration }, script, statement)}: ${message}${code?.length === 5 ? ` (SQLSTATE ${code})` : ''}`,
    detail && `detail: ${detail}`,
    (hint ?? hintFor(code)) && `hint: ${hint ?? hintFor(code)}`,
    ...holders.map(heldBy),
    states[script.file],
  ]
  return new MigrationError('STATEMENT_FAILED', lines.filter(Boolean).join('\n'), { sqlState: code, cause })
}

function placeOf({ migration }: { migration: Migration }, script: Script, statement: Statement): string {
  const place = `statement ${script.statements.indexOf(statement) + 1} of ${script.statements.length}`
  return `${migration.name}/${script.file}: ${place}, line ${statement.line}`
}

function heldBy(holder: string): string {
  return `held by: ${holder}`
}

/** A plain PostgreSQL lacks a schema or a role of Supabase; a database that others built has the tables already. */
function hintFor(code: string | undefined): string | undefined {
  if (code === '3F000' || code === '42704')
    return 'A PostgreSQL without Supabase needs its roles and auth.users first: see docs/deploying.md.'
  if (code === '42P07') return 'If other means, such as Alembic, made it: `agents-db adopt` takes that over.'
  return undefined
}

/** Each statement is tried again by itself. */
async function runOnline(db: Database, step: Step, online: Script, options: StepOptions): Promise<void> {
  for (const statement of online.statements) {
    const tell = (holders: string[]) => {
      const what = `${placeOf(step, online, statement)}: waits for transactions that began before it; it keeps nobody waiting`
      options.onWait?.({ message: [what, ...holders.map(heldBy)].join('\n'), attempt: 0 })
    }
    const attempt = () =>
      runOutside(db, statement, options.lockTimeout ?? defaultLockTimeout, tell).catch(cause => {
        throw statementFailed(step, online, statement, cause)
      })
    await untilUnlocked(options, attempt, () => passVacuum(db, statement.sql))
  }
}

/**
 * What commits by itself waits for locks as it says itself, and an index that is built concurrently for whoever was
 * there before it; everything else as long as we say.
 */
async function runOutside(
  db: Database,
  { sql: text }: Statement,
  lockTimeout: number,
  tell: (holders: string[]) => void,
): Promise<void> {
  const code = text.replace(/--[^\n]*/g, '')
  const run = () => execute(db, sql.raw(text))
  if (/\bconcurrently\b/i.test(code)) {
    // One connection is the step's, one builds the index: a third can ask.
    return connectionsOf(db) > 2 ? await tellHolders(db, text, tell, run) : await run()
  }
  if (/\bcommit\b/i.test(code)) return await run()
  await transaction(db, async tx => {
    await execute(tx, sql`select set_config('lock_timeout', ${`${lockTimeout}ms`}, true)`)
    await execute(tx, sql.raw(text))
  })
}

/** The step itself, inside its transaction; where there is a connection to spare, it is asked who keeps us waiting. */
async function runScript(
  db: Database,
  tx: Database,
  step: Step,
  script: Script,
  lockTimeout: number,
): Promise<void> {
  const watched = connectionsOf(db) > 1
  const [self] = await query<{ pid: number }>(tx, sql`select pg_backend_pid() as pid`)
  for (const statement of script.statements) {
    const work = () => execute(tx, sql.raw(statement.sql))
    const failed = (cause: unknown, holders?: string[]) =>
      statementFailed(step, script, statement, cause, holders)
    if (watched && self) await watchLocks(db, self.pid, lockTimeout * 0.4, work, failed)
    else await work().catch(cause => Promise.reject(failed(cause)))
  }
}

function textOf(statements: Statement[]): string {
  return statements.map(statement => statement.sql).join('\n')
}

/** postgres.js and node-postgres say how many connections their pool may have; what says nothing has one. */
function connectionsOf(db: Database): number {
  const { $client } = db as { $client?: { options?: { max?: number } } }
  return $client?.options?.max ?? 1
}
