import type { Migration, Statement } from './files.ts'

export type MigrationErrorCode =
  /** A statement was refused; `sqlState`, `statement` and `line` say which and why. */
  | 'STATEMENT_FAILED'
  /** Another migrator kept its lock for longer than we wait. */
  | 'LOCKED'
  /** No migration of that name is applied. */
  | 'UNKNOWN_MIGRATION'
  /** The ledger names a migration whose files are not here. */
  | 'MISSING_MIGRATION'
  /** The migration has no `down.sql`. */
  | 'NO_WAY_BACK'
  /** The ledger was made by drizzle-kit before version 1 and has no names. */
  | 'OLD_LEDGER'

/** Why a migration, or a rollback, did not happen. What it had begun was rolled back. */
export class MigrationError extends Error {
  override name = 'MigrationError'
  readonly code: MigrationErrorCode
  /** The SQLSTATE of PostgreSQL, where a statement was refused. */
  readonly sqlState: string | undefined

  constructor(
    code: MigrationErrorCode,
    message: string,
    options?: { sqlState?: string | undefined; cause?: unknown },
  ) {
    super(message, { cause: options?.cause })
    this.code = code
    this.sqlState = options?.sqlState
  }
}

interface PostgresFields {
  message: string
  code?: string
  detail?: string
  hint?: string
  where?: string
}

/** Tells a refused statement by folder, file, place, SQLSTATE, and PostgreSQL's own detail and hint. */
export function statementFailed(
  migration: Migration,
  file: 'migration.sql' | 'down.sql',
  statements: Statement[],
  statement: Statement,
  cause: unknown,
): MigrationError {
  const refused = postgresFields(cause)
  const lines = [
    `${migration.name}/${file}: statement ${statements.indexOf(statement) + 1} of ${statements.length}, line ${statement.line}: ${refused.message}${refused.code ? ` (SQLSTATE ${refused.code})` : ''}`,
    refused.detail && `detail: ${refused.detail}`,
    refused.hint && `hint: ${refused.hint}`,
    'Nothing of this migration was applied.',
  ]
  return new MigrationError('STATEMENT_FAILED', lines.filter(Boolean).join('\n'), {
    sqlState: refused.code,
    cause,
  })
}

/** drizzle wraps what the driver threw; PostgreSQL's own words are in the innermost cause. */
export function postgresFields(error: unknown): PostgresFields {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  if (innermost instanceof Error) return innermost as Error & PostgresFields
  return { message: String(innermost) }
}
