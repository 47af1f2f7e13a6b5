import { MigrationError } from './error.ts'
import type { Migration, Script } from './files.ts'

/**
 * Refuses what would end the transaction that a step runs in, and with it the promise of all or nothing.
 *
 * @throws MigrationError `TRANSACTION_CONTROL`
 */
export function refuseTransactionControl(migration: Migration, script: Script): void {
  for (const statement of script.statements) {
    const found = bare(statement.sql)
      .split(';')
      .find(part =>
        /^\s*(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b/i.test(part),
      )
    if (found !== undefined) {
      throw new MigrationError(
        'TRANSACTION_CONTROL',
        `${migration.name}/${script.file}, line ${statement.line}: ${found.trim().split(/\s/)[0]?.toUpperCase()} would end the transaction that the whole file runs in. Take it out; what must run outside a transaction belongs in ${script.file === 'down.sql' ? 'down.online.sql' : 'online.sql'}. Nothing was run.`,
      )
    }
  }
}

/** The text of a statement without what may hold such a word harmlessly: comments, strings, names, bodies. */
function bare(sql: string): string {
  const harmless =
    /--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|\bbegin\s+atomic\b[\s\S]*?\bend\b/gi
  return sql.replace(harmless, ' ')
}
