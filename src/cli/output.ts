import { styleText } from 'node:util'
import { printable, printableJson, printableLine } from '../printable.ts'
import type { Io } from './io.ts'

/** Back to the beginning of the line, and it is empty. */
const CLEAR = '\r\x1b[2K'

export type Output = ReturnType<typeof createOutput>

/**
 * Where a command's messages go: lines for a person, or with `--json` one document on stdout. A name from a file or the
 * database may hold anything: control characters are made visible here, and cells of a table are one line each.
 */
export function createOutput({ stdout, stderr, env }: Io, isJson: () => boolean) {
  let exitCode = 0
  const results = () => (isJson() ? stderr : stdout)
  let hasBar = false
  const write = (stream: Io['stdout'], text: string) => {
    if (hasBar) stderr.write(CLEAR)
    hasBar = false
    stream.write(`${text}\n`)
  }
  const styled = (stream: Io['stdout'], style: 'bold' | 'green' | 'red', text: string) =>
    stream.isTTY && !env.NO_COLOR ? styleText(style, text, { stream }) : text
  const plain = (stream: Io['stdout'], text: string) => write(stream, printable(text))
  const marked = (stream: Io['stdout'], style: 'green' | 'red', mark: string, text: string) =>
    write(stream, `${stream.isTTY ? `${styled(stream, style, mark)} ` : ''}${printable(text)}`)

  return {
    /** A line of the result. */
    line: (text = '') => plain(results(), text),
    /** Something that succeeded; marked on a terminal. */
    done: (text: string) => marked(results(), 'green', '✓', text),
    /** Rows of the result, in columns below a heading. */
    table: (heading: string[], rows: (string | number)[][]) => {
      const cells = [heading, ...rows].map(row => row.map(cell => printableLine(String(cell))))
      const [first = '', ...lines] = columns(cells)
      write(results(), styled(results(), 'bold', first))
      for (const line of lines) write(results(), line)
    },
    /** Progress, or something the user should know; always on stderr. */
    note: (text: string) => plain(stderr, text),
    /** A line that the next one takes the place of; on a terminal alone. */
    bar: (text: string) => {
      if (!stderr.isTTY) return
      stderr.write(`${CLEAR}${printableLine(text).slice(0, (stderr.columns ?? 80) - 1)}`)
      hasBar = true
    },
    /** What went wrong; always on stderr, and marked on a terminal. */
    error: (text: string) => marked(stderr, 'red', '✗', text),
    /** Ends the command: prints the document that `--json` asks for, and sets the exit code. */
    finish: (document: unknown, code = 0) => {
      if (isJson()) write(stdout, printableJson(document))
      exitCode = code
    },
    exitCode: () => exitCode,
  }
}

/** Rows in columns, each as wide as its widest cell. */
export function columns(rows: string[][]): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const padded = rows.map(row => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)))
  return padded.map(row => row.join('  ').trimEnd())
}

/** "1 row", "2 rows". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
