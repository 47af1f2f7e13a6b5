import { formatPgError, isConnectionLost, isUnreachable, pgErrorOf } from '../pg-error.ts'
import { MigrationError } from './error.ts'
import type { Script, Statement } from './files.ts'
import type { Project } from './project.ts'

/** What state a failure in its transaction leaves a migration in. */
export const rolledBack = {
  up: 'The migration was rolled back and is not applied.',
  down: 'The migration was not undone and is still applied.',
}

/** What state a failed statement leaves the database in. */
const states: Record<Script['file'], string> = {
  'online.sql':
    'Parts of the online script may be done and are safe to run again. The migration is not applied.',
  'migration.sql': rolledBack.up,
  'down.online.sql':
    'Parts of the online script may be done and are safe to run again. The migration is still applied.',
  'down.check.sql': rolledBack.down,
  'down.sql': rolledBack.down,
}

/** Says which statement failed, where, and in what state that leaves the database. */
export function statementFailed(
  project: Project,
  script: Script,
  statement: Statement,
  cause: unknown,
  blockers: string[] = [],
): MigrationError {
  const error = pgErrorOf(cause)
  const { code, hint = project.hintFor?.(code ?? '') } = error
  const reason = formatPgError({ message: error.message, code, detail: error.detail, hint })
  const lines = [`${placeOf(script, statement)}: ${reason}`, ...blockers.map(blockedBy), states[script.file]]
  if (isConnectionLost(cause) || isUnreachable(cause)) return connectionLost(lines, cause)
  return new MigrationError('STATEMENT_FAILED', lines.join('\n'), { sqlState: code, cause })
}

function connectionLost(lines: string[], cause: unknown): MigrationError {
  const message = [
    ...lines,
    'The connection to PostgreSQL was lost. Run the same again: it goes on from there.',
  ]
  return new MigrationError('CONNECTION_LOST', message.join('\n'), { sqlState: pgErrorOf(cause).code, cause })
}

/** Runs `work`. If that loses the connection, the error says of what, and in what state it leaves the database. */
export async function explainLostConnection<T>(
  name: string,
  work: () => Promise<T>,
  state: () => string,
): Promise<T> {
  return await work().catch(cause => {
    const isLost = isConnectionLost(cause) || isUnreachable(cause)
    if (cause instanceof MigrationError || !isLost) throw cause
    throw connectionLost([`${name}: ${pgErrorOf(cause).message}`, state()], cause)
  })
}

/** The same for what comes first. That there is no connection at all is for the caller to explain. */
export async function beforeAnything<T>(work: () => Promise<T>): Promise<T> {
  return await work().catch(cause => {
    if (cause instanceof MigrationError || !isConnectionLost(cause)) throw cause
    throw connectionLost([pgErrorOf(cause).message, 'Nothing was run.'], cause)
  })
}

export function placeOf({ path, statements }: Script, statement: Statement): string {
  return `${path}: statement ${statements.indexOf(statement) + 1} of ${statements.length}, line ${statement.line}`
}

export function blockedBy(blocker: string): string {
  return `blocked by: ${blocker}`
}
