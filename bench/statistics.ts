import { columns } from '../src/cli/output.ts'

export const median = (values: number[]) => percentile(values, 50)

/** The smallest of the values that so many percent of them do not exceed. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}

/** Milliseconds, with as many digits as say something. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ms`
}

export function print(title: string, rows: string[][]): void {
  console.log(`\n${title}`)
  for (const line of columns(rows)) console.log(line)
}

/** How long `work` took, in milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/**
 * Times each of several ways once a round, in turn, so that what else the machine does meets all of them; the first
 * round warms up and does not count.
 */
export async function alternate(
  ways: Record<string, () => Promise<number>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {}
  for (let round = 0; round <= rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const time = await way()
      if (round > 0) times[name] = [...(times[name] ?? []), time]
    }
  }
  return times
}
