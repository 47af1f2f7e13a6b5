/** One thing that is wrong in a seed file, and where. */
export type Mistake = {
  file: string
  /** From 1, as editors count. */
  line: number
  /** From 1, in UTF-16 units, as editors count. */
  column: number
  /** Which value, like `agents[2].config.prompt`; empty when the document as a whole is meant. */
  path: string
  message: string
  /** The line at fault, cut around the column where it is long. */
  source: string
  /** Where the mistake begins in `source`, from 0: the place for a caret. */
  caret: number
}

/** A mistake as one line: `file:line:column path: what is wrong`. */
export function formatMistake(mistake: Mistake): string {
  const { file, line, column, path, message } = mistake
  return `${file}:${line}:${column} ${path || '(document)'}: ${message}`
}

/**
 * What stops a seed; nothing has been written. `SEED_INVALID`: the files hold mistakes, all of them in `mistakes`,
 * and the message lists them one a line.
 */
export class SeedError extends Error {
  override readonly name = 'SeedError'
  readonly code: 'SEED_INVALID'
  readonly mistakes: readonly Mistake[]

  constructor(code: 'SEED_INVALID', mistakes: readonly Mistake[], options?: ErrorOptions) {
    super(mistakes.map(formatMistake).join('\n'), options)
    this.code = code
    this.mistakes = mistakes
  }
}
