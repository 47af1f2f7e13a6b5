/** Where a command's words go: lines for a person, or one JSON document on stdout for a program. */
export interface Output {
  /** A line of the result. */
  line: (text?: string) => void
  /** Something a person should know meanwhile; always on stderr. */
  note: (text: string) => void
  /** The result as a value, printed where `--json` was given. */
  result: (value: unknown) => void
}

export function createOutput(json: boolean): Output {
  return {
    line: (text = '') => (json ? process.stderr : process.stdout).write(`${text}\n`),
    note: text => process.stderr.write(`${text}\n`),
    result: value => {
      if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
    },
  }
}

/** Rows in columns, each as wide as its widest cell. */
export function columns(rows: string[][]): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** "1 row", "2 rows". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
