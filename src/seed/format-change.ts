import { structuredPatch } from 'diff'
import type { Json } from '../schema/json.ts'
import { printable } from './diagnostic.ts'
import type { FieldChange } from './plan.ts'

const SHORT = 60
const MAX_LINES = 20

/** A change as lines for a person: `field: before -> after`, or for long text only the lines that differ. */
export function formatChange({ field, before, after }: FieldChange): string[] {
  const values = [before, after].map(value => (value === undefined ? '(none)' : JSON.stringify(value)))
  if (values.every(value => value.length <= SHORT)) return [printable(`${field}: ${values.join(' -> ')}`)]
  const what = before === undefined ? ' (new)' : after === undefined ? ' (removed)' : ''
  return [`${printable(field)}${what}:`, ...difference(before, after).map(line => `  ${printable(line)}`)]
}

function difference(before: Json | undefined, after: Json | undefined): string[] {
  const texts = [before, after].every(value => value === undefined || typeof value === 'string')
  const [old = '', now = ''] = [before, after].map(value => fold(texts ? String(value ?? '') : pretty(value)))
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
  return text.replace(/[^\n]{101,}/g, line => line.replace(/.{1,99}?[.!?] (?=.)|.{100}(?=.)/gsu, '$&↩\n'))
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
