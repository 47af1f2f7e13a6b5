import { isScalar, type Scalar, Schema } from 'yaml'
import { isStorable, NOT_STORABLE } from '../json.ts'
import { clip } from '../printable.ts'
import type { Json } from '../schema/json.ts'
import { describe, quote } from './diagnostic.ts'

/** More digits than JSON readers keep, by far; to compare them would take long. */
const MAX_DIGITS = 1000

/** Why neither JSON nor `jsonb` can hold what a YAML scalar says. */
export function scalarProblem({ value, source = '' }: Scalar): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : NOT_STORABLE
  if (typeof value !== 'number') return undefined
  const shown = clip(source, 40)
  if (!Number.isFinite(value)) return `is ${shown}, which JSON cannot hold`
  if (source.length <= MAX_DIGITS && isExact(value, source)) return undefined
  return `${shown} cannot be represented exactly in JSON: write it in quotes`
}

/** Whether a number still is what was written. JSON readers agree on integers up to 2^53. */
function isExact(value: number, written: string): boolean {
  if (Number.isInteger(value) && !/^[-+]?[\d.]*[.e]/i.test(written)) return Number.isSafeInteger(value)
  return significant(written) === significant(String(value))
}

/** The digits without the zeros around them, and the power of ten: equal for `1.50`, `15e-1` and `0.0015e3`. */
function significant(decimal: string): string {
  const [mantissa = '', exponent = '0'] = decimal.toLowerCase().replace(/^[-+]/, '').split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  return kept === '' ? '0' : `${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`
}

const yaml11 = new Schema({ schema: 'yaml-1.1' })

/** Of what the library takes for numbers and dates, what PyYAML does: not `1e3`, `09`, `01:30`, `2024-1-1`. */
const PYYAML =
  /^(?:[-+]?(?:0b[01_]+|0[0-7_]*|0x[\da-fA-F_]+|[1-9][\d_]*(?::[0-5]?\d)*|\d[\d_]*(?::[0-5]?\d)*\.[\d_]*(?:[eE][-+]\d+)?|\.inf)|\.nan|\.\d[\d_]*(?:[eE][-+]\d+)?|\d{4}-\d\d-\d\d|\d{4}-.*:.*)$/i

/** What a plain scalar was in YAML 1.1. */
function valueInYaml11(source: string): Json | Date {
  // Of words, only null, truth values and the like mean more than text.
  if (/^(?![fnoty])[a-z]/i.test(source)) return source
  for (const { default: isDefault, collection, test, resolve } of yaml11.tags) {
    if (isDefault !== true || collection || !test?.test(source)) continue
    const resolved = resolve(source, () => {}, { intAsBigInt: false })
    const value = (isScalar(resolved) ? resolved.value : resolved) as Json | Date
    return (typeof value === 'number' || value instanceof Date) && !PYYAML.test(source) ? source : value
  }
  return source
}

/**
 * What is to know about a plain scalar: that YAML 1.1, which PyYAML reads and the first seed files were written in, took
 * it for something else than YAML 1.2 does (`yes`, `1_000`, `0777`, a date), or that a number loses its last zero.
 */
export function scalarNote({ type, source = '', value, tag }: Scalar, isKey: boolean): string | undefined {
  if (type !== 'PLAIN' || source.length > MAX_DIGITS) return undefined
  const now = () => `is ${describe(value as Json)};`
  if (tag === undefined && !isKey && /^(?:=|<<)$/.test(source)) return `${now()} in YAML 1.1 it was an error`
  if (tag === undefined) {
    const earlier = valueInYaml11(source)
    if (earlier instanceof Date) return `${now()} in YAML 1.1 it was a date`
    // In JSON, a key is text.
    if (!Object.is(isKey ? String(earlier) : earlier, value))
      return `${now()} in YAML 1.1 it was ${describe(earlier)}`
  }
  const losesZero = typeof value === 'number' && /\.\d*[1-9]0+$/.test(source)
  return losesZero ? `${now()} in quotes it would be ${quote(source)}` : undefined
}
