/** One thing that is wrong in a seed file, and where. */
export type Mistake = {
  file: string
  /** From 1, as editors count. Absent, as all of the place is, where the file itself is at fault: it does not exist. */
  line?: number
  /** From 1, in UTF-16 units, as editors count. */
  column?: number
  /** Which value, like `agents[2].config.prompt`; empty when the document as a whole is meant. */
  path: string
  message: string
  /** The line at fault, cut around the column where it is long. */
  source?: string
  /** Where the mistake begins in `source`, from 0: the place for a caret. */
  caret?: number
}

/** A mistake as one line: `file:line:column path: what is wrong`. */
export function formatMistake({ file, line, column, path, message }: Mistake): string {
  return line === undefined
    ? `${file}: ${message}`
    : `${file}:${line}:${column} ${path || '(document)'}: ${message}`
}

/** The same, and under it the line at fault with a caret. */
export function showMistake(mistake: Mistake): string {
  const { line, source = '', caret = 0 } = mistake
  if (line === undefined) return formatMistake(mistake)
  const blank = ' '.repeat(String(line).length)
  const indent = printable(source.slice(0, caret)).replace(/[^\t]/g, ' ')
  return `${formatMistake(mistake)}\n  ${line} | ${printable(source)}\n  ${blank} | ${indent}^`
}

export type SeedErrorCode =
  /** The files hold mistakes. */
  | 'SEED_INVALID'
  /** The database does not have the tables. */
  | 'NOT_MIGRATED'

/** What stops a seed; nothing has been written. All mistakes are in `mistakes`, and the message lists them one a line. */
export class SeedError extends Error {
  override readonly name = 'SeedError'
  readonly code: SeedErrorCode
  readonly mistakes: readonly Mistake[]

  constructor(code: SeedErrorCode, what: readonly Mistake[] | string, options?: ErrorOptions) {
    const mistakes = typeof what === 'string' ? [] : what
    super(typeof what === 'string' ? what : mistakes.map(formatMistake).join('\n'), options)
    this.code = code
    this.mistakes = mistakes
  }
}

/** Control characters made visible: in a terminal they would act. */
export function printable(text: string): string {
  return text.replace(/(?!\t)\p{Cc}/gu, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
