export interface JsonProblem {
  path: (string | number)[]
  message: string
}

/** Deeper than anyone writes, and shallow enough for every reader. Cycles end here too. */
const MAX_DEPTH = 1000

export const NOT_STORABLE = 'holds a NUL or half of a surrogate pair, which PostgreSQL cannot store'

/** Whether PostgreSQL gives a text back as it is. */
export function isStorable(text: string): boolean {
  // The test for surrogates is slow, and few texts need it.
  return !text.includes('\0') && !(/[\uD800-\uDFFF]/.test(text) && /\p{Surrogate}/u.test(text))
}

/** Whether a value is a plain object: not a list, a date or an instance of a class. */
export function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The first thing in a value that keeps it from being a JSON object as `jsonb` gives it back. */
export function problemInObject(value: unknown): JsonProblem | undefined {
  return isObject(value) ? problemIn(value, []) : { path: [], message: 'must be an object' }
}

function problemIn(value: unknown, path: JsonProblem['path']): JsonProblem | undefined {
  if (path.length > MAX_DEPTH) return { path, message: `is nested more than ${MAX_DEPTH} deep` }
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return undefined
  if (typeof value === 'string') return isStorable(value) ? undefined : { path, message: NOT_STORABLE }
  if (!Array.isArray(value) && !isObject(value)) return { path, message: 'is not a JSON value' }
  for (const [key, child] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    const inner = [...path, key]
    if (!isStorable(String(key))) return { path: inner, message: `the key ${NOT_STORABLE}` }
    const problem = problemIn(child, inner)
    if (problem) return problem
  }
  return undefined
}
