/** What to measure, and on which server; each bench has its own defaults. */
export interface Options {
  rounds?: number
  users?: number
  memories?: number
  /** A directory with PostgreSQL's programs; the embedded ones unless given. */
  programs?: string
}

/** How long each alternative took, in milliseconds, one number per round. */
export type Times = Record<string, number[]>

/** What must hold: `found` is at most `limit`. */
export interface Goal {
  what: string
  found: number
  limit: number
  unit: 'x' | 'ms' | 's'
}

/** A table, and what must hold of it. */
export interface Report {
  bench: string
  title: string
  table: string[][]
  goals: Goal[]
}

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
export function percentile(values: number[] = [], percent = 50): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}

/** How many times as long one takes as another, by their medians. */
export function ratio(times: Times, one: string, other: string): number {
  return percentile(times[one]) / percentile(times[other])
}

/** A row for each alternative, and how many times as long it took as the first. */
export function tableOf(times: Times): string[][] {
  const [first = ''] = Object.keys(times)
  const rows = Object.entries(times).map(([name, all]) => [
    name,
    ...[50, 0, 99].map(percent => ms(percentile(all, percent))),
    `${ratio(times, name, first).toFixed(1)} x`,
  ])
  return [['', 'median', 'fastest', 'p99', 'vs. first'], ...rows]
}

/** A table as text, and a line for each goal. */
export function format({ title, table, goals }: Report): string {
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map(row => row[i]?.length ?? 0)))
  const lines = table.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const verdicts = goals.map(goal => `${isMet(goal) ? 'pass' : 'FAIL'}  ${sentence(goal)}`)
  return [title, ...lines, ...(goals.length > 0 ? ['', ...verdicts] : [])].join('\n')
}

export function isMet({ found, limit }: Goal): boolean {
  return found <= limit
}

export function sentence({ what, found, limit, unit }: Goal): string {
  const digits = unit === 'ms' ? 0 : 2
  return `${what}: ${found.toFixed(digits)} ${unit}, and at most ${limit} ${unit}`
}

/** Milliseconds, with as many digits as are meaningful. */
export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ms`
}
