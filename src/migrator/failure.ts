import { formatPgError, pgErrorOf } from '../pg-error.ts'
import { MigrationError } from './error.ts'
import type { Script, Statement } from './files.ts'
import type { Project } from './project.ts'

/** What state a failed statement leaves the database in. */
const states: Record<Script['file'], string> = {
  'online.sql':
    'Parts of the online script may be done and are safe to run again. The migration is not applied.',
  'migration.sql': 'The migration was rolled back and is not applied.',
  'down.online.sql':
    'Parts of the online script may be done and are safe to run again. The migration is still applied.',
  'down.check.sql': 'The migration was not undone and is still applied.',
  'down.sql': 'The migration was not undone and is still applied.',
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
  return new MigrationError('STATEMENT_FAILED', lines.join('\n'), { sqlState: code, cause })
}

export function placeOf({ path, statements }: Script, statement: Statement): string {
  return `${path}: statement ${statements.indexOf(statement) + 1} of ${statements.length}, line ${statement.line}`
}

export function blockedBy(blocker: string): string {
  return `blocked by: ${blocker}`
}
