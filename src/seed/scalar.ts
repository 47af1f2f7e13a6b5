import { isScalar, type Scalar, Schema } from 'yaml'
import { isStorable, NOT_STORABLE } from '../json.ts'
import { clip, describe } from './words.ts'

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

/**
 * What YAML 1.1 took a plain scalar for, where YAML 1.2 takes it for something else: `yes`, `1_000`, `0777`, a date. The
 * first seed files were written for PyYAML, which reads YAML 1.1.
 */
export function readAsYaml11({ type, source, value, tag }: Scalar): string | undefined {
  if (type !== 'PLAIN' || tag !== undefined || source === undefined) return undefined
  // Letters for a truth value, digits for everything else.
  if (!/^(?:[-+.\d]|(?:y|yes|no?|on|off)$)/i.test(source)) return undefined
  for (const candidate of yaml11.tags) {
    if (candidate.default !== true || candidate.collection || !candidate.test?.test(source)) continue
    const resolved = candidate.resolve(source, () => {}, { intAsBigInt: false })
    const earlier: unknown = isScalar(resolved) ? resolved.value : resolved
    if (earlier instanceof Date) return 'a date'
    return Object.is(earlier, value) ? undefined : describe(earlier as number | boolean)
  }
  return typeof value === 'string' ? undefined : describe(source)
}
