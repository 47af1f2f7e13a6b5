import { isSqlState } from '../pg-error.ts'
import type { Finding } from './project.ts'

export type MigrationErrorCode =
  /** A statement failed; `sqlState` says why, the message says where. */
  | 'STATEMENT_FAILED'
  /** The server, the network or an administrator ended the connection. The same call again goes on from there. */
  | 'CONNECTION_LOST'
  /** A lock was not free within the time and the number of attempts allowed. */
  | 'LOCK_TIMEOUT'
  /** Another migrator was running for longer than we wait, or applied something meanwhile. */
  | 'BUSY'
  /** A script would end the transaction that it runs in. */
  | 'TRANSACTION_CONTROL'
  /** What is not of the migrations hangs on what they drop, where `findings` lists it, or would run with our rights. */
  | 'BLOCKED'
  /** There is no migration of that name, or it is not applied. */
  | 'UNKNOWN_NAME'
  /** The migration has no `down.sql`. */
  | 'IRREVERSIBLE'
  /** A script of an applied migration is not what it was then. */
  | 'EDITED'
  /** The folder of an applied migration is gone, though later ones are here. */
  | 'MISSING'
  /** The database has a later migration than any here: these files are older than the database. */
  | 'UNKNOWN'
  /** A migration that is not applied sorts before one that is. */
  | 'OUT_OF_ORDER'
  /** A probe failed: something that must hold after every commit would no longer hold. */
  | 'PROBE_FAILED'
  /** No migration leaves a database like this one. */
  | 'NOT_ADOPTABLE'
  /** The ledger was made by drizzle-kit before version 1 and has no names. */
  | 'OLD_LEDGER'
  /** The ledger records the migrations of another drizzle project. */
  | 'OTHER_PROJECT'

/** Why a migration or a rollback did not happen, and in what state that leaves the database. */
export class MigrationError extends Error {
  override name = 'MigrationError'
  readonly code: MigrationErrorCode
  /** PostgreSQL's SQLSTATE, where a statement failed. */
  readonly sqlState: string | undefined

  /** What preflight found, where that is the reason. */
  readonly findings: Finding[] | undefined

  constructor(
    code: MigrationErrorCode,
    message: string,
    options: { sqlState?: string | undefined; cause?: unknown; findings?: Finding[] } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.findings = options.findings
    this.sqlState = isSqlState(options.sqlState) ? options.sqlState : undefined
  }
}
