import { formatPgError, isConnectionLost, isUnreachable, pgErrorOf } from '../pg-error.ts'
import { blockedBy } from './blockers.ts'
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
  state = states[script.file],
): MigrationError {
  return failed(placeOf(script, statement), [...blockers.map(blockedBy), state], cause, project.hintFor)
}

/** Says where something failed, and in what state that leaves the database. */
export function failed(
  place: string,
  lines: string[],
  cause: unknown,
  hintFor?: Project['hintFor'],
): MigrationError {
  if (cause instanceof MigrationError) {
    const { code, message, sqlState } = cause
    return new MigrationError(code, [`${place}: ${message}`, ...lines].join('\n'), { sqlState, cause })
  }
  const error = pgErrorOf(cause)
  const { code, detail, hint = hintFor?.(code ?? '') } = error
  const reason = formatPgError({ message: error.message, code, detail, hint })
  const isLost = isConnectionLost(cause) || isUnreachable(cause)
  const all = [`${place}: ${reason}`, ...lines, ...(isLost ? [GO_ON] : [])]
  const options = { sqlState: code, cause }
  return new MigrationError(isLost ? 'CONNECTION_LOST' : 'STATEMENT_FAILED', all.join('\n'), options)
}

const GO_ON = 'The connection to PostgreSQL was lost. Run the same again: it goes on from there.'

/**
 * Runs `work`. If the connection is lost, the error says that nothing was run. That there is none at all is for the caller to
 * explain.
 */
export async function beforeAnything<T>(work: () => Promise<T>): Promise<T> {
  return await work().catch(cause => {
    if (cause instanceof MigrationError || !isConnectionLost(cause)) throw cause
    const { message, code } = pgErrorOf(cause)
    const lines = [message, 'Nothing was run.', GO_ON]
    throw new MigrationError('CONNECTION_LOST', lines.join('\n'), { sqlState: code, cause })
  })
}

export function placeOf({ path, statements }: Script, statement: Statement): string {
  return `${path}: statement ${statements.indexOf(statement) + 1} of ${statements.length}, line ${statement.line}`
}
