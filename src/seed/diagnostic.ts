import { clip, printableLine } from '../printable.ts'
import type { Json } from '../schema/json.ts'

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
}

/** A diagnostic as one line: `file:line:column path: what is wrong`. */
export function formatDiagnostic({ file, line, column, path, message }: Diagnostic): string {
  const place = line === undefined ? file : `${file}:${line}:${column} ${path || '(document)'}`
  return printableLine(`${place}: ${message}`)
}

export type SeedErrorCode =
  /** The files have mistakes in them. */
  | 'SEED_INVALID'
  /** The database does not have the tables. */
  | 'NOT_MIGRATED'
  /** A file without entries, with `prune`, would empty a table. */
  | 'NOTHING_LEFT'

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

/** `agents[0].config["top k"]`: how diagnostics name a value. */
export function formatPath(path: readonly PropertyKey[]): string {
  const steps = path.map(step => {
    if (typeof step === 'number') return `[${step}]`
    const key = clip(String(step))
    return /^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
  })
  return steps.join('').replace(/^\./, '')
}

/** What a value is, for a message. */
export function describe(value: Json): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return quote(value)
  return `the ${typeof value === 'number' ? 'number' : 'truth value'} ${value}`
}

/** A text in quotes, cut where it is long. */
export function quote(text: string): string {
  return JSON.stringify(clip(text))
}
