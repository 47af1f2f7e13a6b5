import { pgErrorOf, sqlStateSuffix } from '../pg-error.ts'
import { MigrationError } from './error.ts'
import type { Migration, Script, Statement } from './files.ts'
import type { Project } from './project.ts'

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
  migration: Migration,
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

export function placeOf(migration: Migration, script: Script, statement: Statement): string {
  const place = `statement ${script.statements.indexOf(statement) + 1} of ${script.statements.length}`
  return `${migration.name}/${script.file}: ${place}, line ${statement.line}`
}

export function blockedBy(blocker: string): string {
  return `blocked by: ${blocker}`
}
