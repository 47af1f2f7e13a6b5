/** How much to measure; each bench has its own defaults. */
export interface Sizes {
  rounds?: number
  users?: number
}

/** How long each alternative took, in milliseconds, one number per round. */
export type Times = Record<string, number[]>

export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** Times each alternative once a round, in turn, so that other load on the machine affects all of them alike. */
export async function alternate(
  ways: Record<string, () => unknown>,
  rounds: number,
  { warmUp = 1, before = async () => {} }: { warmUp?: number; before?: () => Promise<unknown> } = {},
): Promise<Times> {
  const times: Times = {}
  for (let round = -warmUp; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      await before()
      const time = await timed(way)
      if (round >= 0) times[name] = [...(times[name] ?? []), time]
    }
  }
  return times
}

/** The smallest value that at least `percent` percent of the values do not exceed. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}

/** Prints a row for each alternative, and how many times as long it took as the first. */
export function printTimes(title: string, times: Times): void {
  const floor = percentile(Object.values(times)[0] ?? [], 50)
  const rows = Object.entries(times).map(([name, all]) => [
    name,
    ...[50, 0, 99].map(percent => ms(percentile(all, percent))),
    `${(percentile(all, 50) / floor).toFixed(1)} x`,
  ])
  printTable(title, [['', 'median', 'fastest', 'p99', 'vs. first'], ...rows])
}

export function printTable(title: string, rows: string[][]): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  console.log(`\n${title}`)
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

/** Milliseconds, with as many digits as are meaningful. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ms`
}
