import { isScalar, type Scalar, Schema } from 'yaml'
import { isStorable, NOT_STORABLE } from '../json.ts'
import { clip } from '../printable.ts'
import { describe } from './words.ts'

/** Why neither JSON nor `jsonb` can hold what a YAML scalar says. */
export function scalarProblem({ value, source = '' }: Scalar): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : NOT_STORABLE
  if (typeof value !== 'number') return undefined
  const shown = clip(source, 40)
  if (!Number.isFinite(value)) return `is ${shown}, which JSON cannot hold`
  return isExact(value, source)
    ? undefined
    : `${shown} cannot be represented exactly in JSON: write it in quotes`
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

/** Letters for a truth value or nothing, digits for everything else. */
const MAY_DIFFER = /^(?:[-+.\d]|(?:y|yes|no?|on|off|true|false|null|~)$)/i

/** What a plain scalar was in YAML 1.1. */
export function valueInYaml11(source: string): boolean | number | string | null | Date {
  if (!MAY_DIFFER.test(source)) return source
  for (const { default: isDefault, collection, test, resolve } of yaml11.tags) {
    if (isDefault !== true || collection || !test?.test(source)) continue
    const resolved = resolve(source, () => {}, { intAsBigInt: false })
    const value = (isScalar(resolved) ? resolved.value : resolved) as boolean | number | null | Date
    return (typeof value === 'number' || value instanceof Date) && !PYYAML.test(source) ? source : value
  }
  return source
}

/**
 * What YAML 1.1 took a plain scalar for, where YAML 1.2 takes it for something else: `yes`, `1_000`, `0777`, a date. The
 * first seed files were written for PyYAML, which reads YAML 1.1.
 */
export function readAsYaml11({ type, source = '', value, tag }: Scalar, isKey: boolean): string | undefined {
  if (type !== 'PLAIN' || tag !== undefined) return undefined
  if (/^(?:=|<<)$/.test(source)) return isKey ? undefined : 'an error'
  if (!MAY_DIFFER.test(source)) return undefined
  const earlier = valueInYaml11(source)
  if (earlier instanceof Date) return 'a date'
  // In JSON, a key is text.
  return Object.is(isKey ? String(earlier) : earlier, value) ? undefined : describe(earlier)
}

/** Whether it is a number such as `1.10`, a version perhaps, of which 1.1 is left. */
export function losesZero({ type, source, value }: Scalar): boolean {
  return type === 'PLAIN' && typeof value === 'number' && /\.\d*[1-9]0+$/.test(source ?? '')
}
