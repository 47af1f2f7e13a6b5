import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { pgErrorOf, sqlStateSuffix } from '../pg-error.ts'
import { execute, query, transaction } from '../query.ts'
import { waitForAutovacuum } from './autovacuum.ts'
import { explainBlockers, reportBlockers } from './blockers.ts'
import { MigrationError } from './error.ts'
import type { Migration, Script, Statement } from './files.ts'
import { ensureLedger, type LedgerEntry, readLedger } from './ledger.ts'
import { defaultLockTimeout, type LockOptions, retryOnLockTimeout, withMigrationLock } from './lock.ts'
import { commitsByItself } from './parse.ts'
import type { Project } from './project.ts'

export interface RunOptions extends LockOptions {
  /** Run `online.sql` and `down.online.sql`, which need a second connection; true unless given. */
  online?: boolean
  /** Called before each migration. */
  onStart?: (name: string) => void
  /** Called after each migration, once it is committed. */
  onDone?: (name: string, milliseconds: number) => void
}

/** A migration on its way up or down. */
interface Run {
  migration: Migration
  script: Script
  /** Runs first in the same transaction. */
  check?: Script | undefined
  online: Script | undefined
  /** Whether, under the lock, it is still to be run; throws where it must not be. */
  isPending: (ledger: LedgerEntry[]) => boolean
  /** Runs last in the transaction: writes the ledger. */
  finish: (tx: Database) => Promise<void>
}

/**
 * Runs a migration: its online script, each statement outside the transaction, then its script in one transaction with
 * the change of the ledger. The transaction is opened first and holds the migration lock for as long as it lasts; the
 * ledger is read again under it.
 *
 * @returns whether it was run here, and not by another migrator meanwhile
 * @throws MigrationError
 */
export async function runMigration(
  db: Database,
  project: Project,
  run: Run,
  options: RunOptions,
): Promise<boolean> {
  const { lockTimeout = defaultLockTimeout } = options
  let online = options.online !== false && connectionsOf(db) > 1 ? run.online : undefined

  const attempt = () =>
    withMigrationLock(db, async tx => {
      await ensureLedger(tx, project)
      if (!run.isPending(await readLedger(tx, project))) return false
      // This transaction is idle while the online script runs. Without parameters, and last before it, the driver asks in
      // PostgreSQL's simple way, which leaves no snapshot for an index build to wait for.
      await execute(
        tx,
        sql`select set_config(name, '0', true)
              from pg_catalog.pg_settings
             where name in ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout')`,
      )
      if (online) await runOnline(db, project, run, online, options)
      online = undefined
      // drizzle-kit writes table names without their schema.
      await execute(
        tx,
        sql`select set_config('search_path', 'public', true),
                   set_config('lock_timeout', ${`${lockTimeout}ms`}, true)`,
      )
      if (run.check) await runScript(db, tx, project, run, run.check, lockTimeout)
      await runScript(db, tx, project, run, run.script, lockTimeout)
      await run.finish(tx)
      return true
    })
  const text = run.script.statements.map(statement => statement.sql).join('\n')
  return await retryOnLockTimeout(options, attempt, () => waitForAutovacuum(db, text))
}

/** What state a failed statement leaves the database in. */
const states: Record<Script['file'], string> = {
  'online.sql':
    'Parts of the online script may be done and are safe to run again. The migration is not applied.',
  'migration.sql': 'The migration was rolled back and is not applied.',
  'down.online.sql':
    'Parts of the online script may be done and are safe to run again. The migration is still applied.',
  'down.check.sql': 'Nothing was undone: the migration is still applied.',
  'down.sql': 'Nothing was undone: the migration is still applied.',
}

/** Says by folder, file and place which statement failed, and in what state that leaves the database. */
export function statementFailed(
  project: Project,
  { migration }: Pick<Run, 'migration'>,
  script: Script,
  statement: Statement,
  cause: unknown,
  blockers: string[] = [],
): MigrationError {
  const { message, code, detail, hint = project.hintFor?.(code ?? '') } = pgErrorOf(cause)
  const lines = [
    `${placeOf(migration, script, statement)}: ${message}${sqlStateSuffix(code)}`,
    detail && `detail: ${detail}`,
    hint && `hint: ${hint}`,
    ...blockers.map(blockedBy),
    states[script.file],
  ]
  return new MigrationError('STATEMENT_FAILED', lines.filter(Boolean).join('\n'), { sqlState: code, cause })
}

function placeOf(migration: Migration, script: Script, statement: Statement): string {
  const place = `statement ${script.statements.indexOf(statement) + 1} of ${script.statements.length}`
  return `${migration.name}/${script.file}: ${place}, line ${statement.line}`
}

function blockedBy(blocker: string): string {
  return `blocked by: ${blocker}`
}

/** Each statement is retried by itself. */
async function runOnline(
  db: Database,
  project: Project,
  run: Run,
  online: Script,
  options: RunOptions,
): Promise<void> {
  for (const statement of online.statements) {
    const report = (blockers: string[]) => {
      const what = `${placeOf(run.migration, online, statement)}: waits for older transactions, and blocks nobody`
      options.onWait?.({ message: [what, ...blockers.map(blockedBy)].join('\n'), attempt: 0 })
    }
    const attempt = () =>
      runOutside(db, statement, options.lockTimeout ?? defaultLockTimeout, report).catch(cause => {
        throw statementFailed(project, run, online, statement, cause)
      })
    await retryOnLockTimeout(options, attempt, () => waitForAutovacuum(db, statement.sql))
  }
}

/**
 * Statements that commit by themselves set their own lock timeout. CREATE INDEX CONCURRENTLY waits for older
 * transactions. Everything else runs in a transaction with ours.
 */
async function runOutside(
  db: Database,
  statement: Statement,
  lockTimeout: number,
  report: (blockers: string[]) => void,
): Promise<void> {
  const run = () => execute(db, sql.raw(statement.sql))
  if (await commitsByItself(statement)) {
    // One connection is the transaction's, one runs this: a third can ask.
    return connectionsOf(db) > 2 ? await reportBlockers(db, statement.sql, report, run) : await run()
  }
  await transaction(db, async tx => {
    await execute(tx, sql`select set_config('lock_timeout', ${`${lockTimeout}ms`}, true)`)
    await execute(tx, sql.raw(statement.sql))
  })
}

/** Runs a script in the transaction; a connection to spare is asked who blocks it. */
async function runScript(
  db: Database,
  tx: Database,
  project: Project,
  run: Run,
  script: Script,
  lockTimeout: number,
): Promise<void> {
  const observed = connectionsOf(db) > 1
  const [self] = await query<{ pid: number }>(tx, sql`select pg_backend_pid() as pid`)
  for (const statement of script.statements) {
    const work = () => execute(tx, sql.raw(statement.sql))
    const failed = (cause: unknown, blockers?: string[]) =>
      statementFailed(project, run, script, statement, cause, blockers)
    if (observed && self) await explainBlockers(db, self.pid, lockTimeout * 0.4, work, failed)
    else await work().catch(cause => Promise.reject(failed(cause)))
  }
}

/** postgres.js and node-postgres say how many connections their pool may have; what says nothing has one. */
function connectionsOf(db: Database): number {
  const { $client } = db as { $client?: { options?: { max?: number } } }
  return $client?.options?.max ?? 1
}
