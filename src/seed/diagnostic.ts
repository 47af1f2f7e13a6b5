import { printableLine } from '../printable.ts'

/** Something that is wrong in a seed file, and where. */
export interface Diagnostic {
  file: string
  /** From 1, as editors count. Absent, as the rest of the place is, where the file itself is at fault. */
  line?: number
  /** From 1, in UTF-16 units, as editors count. */
  column?: number
  /** Which value, like `agents[2].config.prompt`; empty where the document as a whole is meant. */
  path: string
  message: string
  /** The line at fault, cut around the column where it is long. */
  source?: string
  /** Where the fault begins in `source`, from 0: the place for a caret. */
  caret?: number
}

/** A diagnostic as one line: `file:line:column path: what is wrong`. */
export function formatDiagnostic({ file, line, column, path, message }: Diagnostic): string {
  const place = line === undefined ? file : `${file}:${line}:${column} ${path || '(document)'}`
  return printableLine(`${place}: ${message}`)
}

/** The same, with the line at fault and a caret below it. */
export function showDiagnostic(diagnostic: Diagnostic): string {
  const { line, source = '', caret = 0 } = diagnostic
  if (line === undefined) return formatDiagnostic(diagnostic)
  const blank = ' '.repeat(String(line).length)
  const indent = printableLine(source.slice(0, caret)).replace(/[^\t]/g, ' ')
  return `${formatDiagnostic(diagnostic)}\n  ${line} | ${printableLine(source)}\n  ${blank} | ${indent}^`
}

export type SeedErrorCode =
  /** The files have mistakes in them. */
  | 'SEED_INVALID'
  /** The database does not have the tables. */
  | 'NOT_MIGRATED'

/** Why nothing was seeded. The message lists the diagnostics, one a line. */
export class SeedError extends Error {
  override readonly name = 'SeedError'
  readonly code: SeedErrorCode
  readonly diagnostics: readonly Diagnostic[]

  constructor(code: SeedErrorCode, what: readonly Diagnostic[] | string, options?: ErrorOptions) {
    const diagnostics = typeof what === 'string' ? [] : what
    super(typeof what === 'string' ? what : diagnostics.map(formatDiagnostic).join('\n'), options)
    this.code = code
    this.diagnostics = diagnostics
  }
}
