import { structuredPatch } from 'diff'
import { clip, printableLine } from '../printable.ts'
import type { Json } from '../schema/json.ts'
import type { FieldChange } from './plan.ts'

const SHORT = 60
const MAX_LINES = 20

/** Longer values are not compared: that would take longer than to write them. */
const MAX_COMPARED = 1_000_000

/** A change as lines for a person: `field: before -> after`, or for long text only the lines that differ. */
export function formatChange({ field, before, after }: FieldChange): string[] {
  const name = clip(field)
  const old = before === undefined ? '(none)' : JSON.stringify(before)
  const now = after === undefined ? '(none)' : JSON.stringify(after)
  const length = Math.max(old.length, now.length)
  if (length <= SHORT) return [printableLine(`${name}: ${old} -> ${now}`)]
  const lines = length > MAX_COMPARED ? [] : difference(before, after)
  if (lines.length === 0) return [printableLine(`${name}: ${old.length} -> ${now.length} characters`)]
  const more = lines.length - MAX_LINES
  const shown = more > 1 ? [...lines.slice(0, MAX_LINES), `… and ${more} more lines`] : lines
  return [`${name}:`, ...shown.map(line => `  ${line}`)].map(printableLine)
}

/** The lines that differ, with one around them; none if nearly all do. */
function difference(before: Json | undefined, after: Json | undefined): string[] {
  const options = { context: 1, maxEditLength: 500 }
  const patch = structuredPatch('', '', folded(before), folded(after), '', '', options)
  return (patch?.hunks ?? []).flatMap(({ lines }, index) => (index === 0 ? lines : ['…', ...lines]))
}

/** Long lines are broken after sentences, so that one changed word does not show a whole page. */
function folded(value: Json | undefined): string {
  if (value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  const fold = (line: string) => line.match(/.{1,99}?[.!?] |.{1,100}/gsu)?.join('↩\n') ?? ''
  const lines = text.split('\n').map(line => (line.length > 100 ? fold(line) : line))
  return `${lines.join('\n')}\n`
}
