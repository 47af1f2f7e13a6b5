import { readFileSync } from 'node:fs'

export interface SqlCase {
  group: string
  sql: string
  /** What is to be said of it, a sentence each. */
  says: string[]
}

/**
 * Cases from a file of SQL, with an empty line between them. A line of comment names the case, statements follow, and
 * each line that begins with an arrow is something that has to be said of them. `-- #` begins a group.
 *
 * @returns them by their names
 */
export function readCases(url: URL): [what: string, SqlCase][] {
  let group = ''
  const cases: [string, SqlCase][] = []
  for (const block of readFileSync(url, 'utf8')
    .trim()
    .split(/\n{2,}/)) {
    const lines = block.split('\n')
    const what = lines[0]!.replace(/^-- /, '')
    if (what.startsWith('# ')) group = what.slice(2)
    const says = lines.filter(line => line.startsWith('--> ')).map(line => line.slice(4))
    const sql = lines.filter(line => !line.startsWith('--'))
    if (sql.length > 0) cases.push([what, { group, sql: sql.join('\n'), says }])
  }
  return cases
}
