export type MigrationErrorCode =
  /** A statement was refused; `sqlState` says why, the message says where. */
  | 'STATEMENT_FAILED'
  /** A lock was not to be had within the time and the number of attempts allowed. */
  | 'LOCK_TIMEOUT'
  /** Another migrator was at work for longer than we wait. */
  | 'BUSY'
  /** A file holds a statement that would end the transaction it runs in. */
  | 'TRANSACTION_CONTROL'
  /** No migration of that name is applied, or there is none. */
  | 'UNKNOWN_NAME'
  /** The migration has no `down.sql`. */
  | 'NO_WAY_BACK'
  /** The file of an applied migration is not what was applied. */
  | 'EDITED'
  /** An applied migration's folder is gone, though later ones are here. */
  | 'MISSING'
  /** The database has a later migration than any here: these files are older than the database. */
  | 'UNKNOWN'
  /** A migration that is not applied sorts before one that is. */
  | 'OUT_OF_ORDER'
  /** With the step, a sign-up or the denial of clients would no longer hold. */
  | 'PROBE_FAILED'
  /** The database is like none of the migrations would leave it. */
  | 'NOT_ADOPTABLE'
  /** The ledger was made by drizzle-kit before version 1 and has no names. */
  | 'OLD_LEDGER'

/** Why a migration, or a rollback, did not happen, and what state that leaves the database in. */
export class MigrationError extends Error {
  override name = 'MigrationError'
  readonly code: MigrationErrorCode
  /** The SQLSTATE of PostgreSQL, where a statement was refused. */
  readonly sqlState: string | undefined

  constructor(
    code: MigrationErrorCode,
    message: string,
    options: { sqlState?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.sqlState = options.sqlState
  }
}

/** What PostgreSQL says of an error; of these fields, and of nothing else, our messages are made. */
export interface Refusal {
  message: string
  code?: string
  detail?: string
  hint?: string
}

/** drizzle wraps what the driver threw; PostgreSQL's own words are in the innermost cause. */
export function refusalOf(error: unknown): Refusal {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  if (innermost instanceof Error) return innermost as Error & Refusal
  return { message: String(innermost) }
}

/** Whether somebody else's lock is all that is wrong: 55P03 we waited long enough, 40P01 we were a deadlock's victim. */
export function isLockFailure(error: unknown): boolean {
  const { code } = refusalOf(error)
  return code === '55P03' || code === '40P01'
}
