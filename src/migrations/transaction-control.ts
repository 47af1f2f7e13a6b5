import { MigrationError } from './error.ts'
import { firstLine, type Migration, newlines, type Script } from './files.ts'

/** What ends a transaction, or begins another; `rollback to` a savepoint does neither. */
const ending =
  /(?:^|;)\s*(begin|start\s+transaction|commit|end|abort|prepare\s+transaction|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b))\b/i

/**
 * Refuses what would end the transaction that a step runs in, and with it the promise of all or nothing.
 *
 * @throws MigrationError `TRANSACTION_CONTROL`
 */
export function refuseTransactionControl(migration: Migration, script: Script): void {
  for (const statement of script.statements) {
    const text = bare(statement.sql)
    const match = ending.exec(text)
    if (!match) continue
    const [found, words = ''] = match
    const line = firstLine(statement) + newlines(text.slice(0, match.index + found.length - words.length))
    throw new MigrationError(
      'TRANSACTION_CONTROL',
      `${migration.name}/${script.file}, line ${line}: ${words.split(/\s/)[0]?.toUpperCase()} would end the transaction that the whole file runs in. Take it out; what must run outside a transaction belongs in ${script.file === 'down.sql' ? 'down.online.sql' : 'online.sql'}. Nothing was run.`,
    )
  }
}

/** The lines of a statement without what may hold such a word harmlessly: comments, strings, names, bodies. */
function bare(sql: string): string {
  const harmless =
    /--[^\n]*|(?<![\w$])\$(\w*)\$[\s\S]*?\$\1\$|\be'(?:\\[\s\S]|''|[^'\\])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\/\*/gi
  let kept = ''
  let from = 0
  for (let match = harmless.exec(sql); match; match = harmless.exec(sql)) {
    if (match[0] === '/*') harmless.lastIndex = endOfComment(sql, harmless.lastIndex)
    kept += `${sql.slice(from, match.index)} ${blank(sql.slice(match.index, harmless.lastIndex))}`
    from = harmless.lastIndex
  }
  kept += sql.slice(from)
  return withoutAtomicBodies(kept)
}

/** Block comments nest; within one, quotes and dashes are text. */
function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = from
  let depth = 1
  for (let match = mark.exec(sql); match; match = mark.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return sql.length
}

/** The ends of lines alone. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, '')
}

/** `begin atomic … end` is a function's body; a `case` inside it has an `end` of its own. */
function withoutAtomicBodies(sql: string): string {
  let depth = 0
  return sql.replace(/\bbegin\s+atomic\b|\bcase\b|\bend\b|;/gi, word => {
    if (/^begin/i.test(word)) depth = 1
    else if (depth > 0 && /^case$/i.test(word)) depth += 1
    else if (depth > 0 && /^end$/i.test(word)) depth -= 1
    else if (depth === 0) return word
    return ` ${blank(word)}`
  })
}
