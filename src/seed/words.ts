import { clip } from '../printable.ts'
import type { Json } from '../schema/json.ts'

/** `agents[0].config["top k"]`: how diagnostics name a value. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      const key = clip(String(step))
      if (!/^[\w-]+$/.test(key)) return `[${JSON.stringify(key)}]`
      return index === 0 ? key : `.${key}`
    })
    .join('')
}

/** What a value is, for a message. */
export function describe(value: Json): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return quote(value)
  return `the ${typeof value === 'number' ? 'number' : 'truth value'} ${value}`
}

/** The same in quotes. */
export function quote(text: string): string {
  return JSON.stringify(clip(text))
}
