const DECIMAL = /^[-+]?(\d*)(?:\.(\d*))?(?:e([-+]?\d+))?$/i

/** Whether a number, read into a double, still is the number that was written. */
export function isExact(value: number | bigint, written: string): boolean {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value))
  const digits = significant(written.replaceAll('_', ''))
  return digits === undefined || digits === significant(String(value))
}

/** The digits without the zeros around them, and the power of ten: equal for `1.50`, `15e-1` and `0.0015e3`. */
function significant(decimal: string): string | undefined {
  const match = DECIMAL.exec(decimal)
  if (match === null) return undefined
  const fraction = match[2] ?? ''
  const digits = `${match[1] ?? ''}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  return kept === ''
    ? '0'
    : `${kept}e${Number(match[3] ?? 0) - fraction.length + digits.length - kept.length}`
}
