export interface JsonDiagnostic {
  path: (string | number)[]
  message: string
}

/** Deeper than anybody writes, and shallow enough for every reader; what contains itself ends here too. */
const MAX_DEPTH = 1000

export const NOT_STORABLE = 'holds a character that PostgreSQL cannot store'

/** Whether PostgreSQL gives a text back as it is: it stores no NUL and no half of a character. */
export function isStorable(text: string): boolean {
  // The second test is the quicker one, and mostly the last.
  return !text.includes('\0') && !(/[\uD800-\uDFFF]/.test(text) && /\p{Surrogate}/u.test(text))
}

/** Whether a value is an object and nothing besides: no list, no date, no instance of a class. */
export function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The first thing in a value that keeps it from being a JSON object as `jsonb` gives it back. */
export function diagnoseObject(value: unknown): JsonDiagnostic | undefined {
  return isObject(value) ? diagnose(value, 0) : { path: [], message: 'must be an object' }
}

function diagnose(value: unknown, depth: number): JsonDiagnostic | undefined {
  const message = whatIsWrong(value, depth)
  if (message) return { path: [], message }
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, child] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    const diagnostic =
      typeof key === 'string' && !isStorable(key)
        ? { path: [], message: `the key ${NOT_STORABLE}` }
        : diagnose(child, depth + 1)
    if (diagnostic) return { ...diagnostic, path: [key, ...diagnostic.path] }
  }
  return undefined
}

function whatIsWrong(value: unknown, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `is nested more than ${MAX_DEPTH} deep`
  if (value === null || typeof value === 'boolean' || Array.isArray(value) || isObject(value))
    return undefined
  if (typeof value === 'string') return isStorable(value) ? undefined : NOT_STORABLE
  if (typeof value === 'number' && Number.isFinite(value)) return undefined
  return 'is not a JSON value'
}
