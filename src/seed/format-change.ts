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
  const [old, now] = [shown(before), shown(after)]
  const length = Math.max(old.length, now.length)
  if (length <= SHORT) return [printableLine(`${name}: ${old} -> ${now}`)]
  if (length > MAX_COMPARED) return [printableLine(`${name}: ${old.length} -> ${now.length} characters`)]
  const what = before === undefined ? ' (new)' : after === undefined ? ' (removed)' : ''
  return [`${name}${what}:`, ...difference(before, after).map(line => `  ${line}`)].map(printableLine)
}

function shown(value: Json | undefined): string {
  return value === undefined ? '(none)' : JSON.stringify(value)
}

function difference(before: Json | undefined, after: Json | undefined): string[] {
  const isText = [before, after].every(value => value === undefined || typeof value === 'string')
  const [old = '', now = ''] = [before, after].map(value =>
    fold(isText ? String(value ?? '') : pretty(value)),
  )
  const patch = structuredPatch('', '', old, now, '', '', { context: 1, maxEditLength: 500 })
  if (patch === undefined) return [`${lineCount(old)} lines -> ${lineCount(now)} lines, mostly different`]
  const sameEnd = old === '' || now === '' || old.endsWith('\n') === now.endsWith('\n')
  const lines = patch.hunks
    .flatMap((hunk, index) => (index === 0 ? hunk.lines : ['…', ...hunk.lines]))
    .filter(line => !(sameEnd && line.startsWith('\\')))
  const more = lines.length - MAX_LINES
  return more > 1 ? [...lines.slice(0, MAX_LINES), `… and ${more} more lines`] : lines
}

function pretty(value: Json | undefined): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2)
}

/** Breaks long lines after sentences, so that one changed word does not show a whole page. */
function fold(text: string): string {
  const pieces = (line: string) => line.match(/.{1,99}?[.!?] |.{1,100}/gsu) ?? []
  const lines = text.split('\n').map(line => (line.length > 100 ? pieces(line).join('↩\n') : line))
  return lines.join('\n')
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
