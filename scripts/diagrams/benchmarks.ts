import { drawing, path, rect, text, widthOf } from './svg.ts'

interface Wait {
  kind: string
  migrate: number
  rollback: number
  plain: number
}

interface Call {
  users: string
  median: number
  p99: number
  bare: number
}

interface Figures {
  waits: Wait[]
  calls: Call[]
}

/** Takes the figures that are drawn from the tables, as `pnpm bench` prints them, that a document holds. */
export function readFigures(document: string): Figures {
  const waits = table(document, 'longest wait by kind of statement').map(row => ({
    kind: row[0] ?? '',
    migrate: figure(row[2]),
    rollback: figure(row[4]),
    plain: figure(row[5]),
  }))
  const calls = table(document, 'agentsForUser, ').map(row => ({
    users: row[0] ?? '',
    median: figure(row[1]),
    p99: figure(row[2]),
    bare: figure(row[3]),
  }))
  return { waits: waits.filter(({ kind }) => kind !== '(whole)'), calls }
}

/** The lines after the one that begins so, and after the heading of the columns. */
function table(document: string, title: string): string[][] {
  const lines = document.replaceAll('\r\n', '\n').split('\n')
  const at = lines.findIndex(line => line.startsWith(title))
  if (at === -1) throw new Error(`docs/benchmarks.md: no table \`${title}\``)
  const end = lines.findIndex((line, i) => i > at && (line === '' || line.startsWith('```')))
  return lines.slice(at + 2, end).map(line => line.split(/\s{2,}/))
}

function figure(cell = ''): number {
  const number = Number.parseFloat(cell)
  if (Number.isNaN(number)) throw new Error(`docs/benchmarks.md: no figure: ${cell}`)
  return number
}

const MARGIN = 24
const ROW = 26
const TOP = 84
const PLOT = 380

export function benchmarksAsSvg({ waits, calls }: Figures): string {
  const height = TOP + ROW * waits.length + 64
  const left = drawWaits(waits)
  const right = drawCalls(calls, left.right + 2 * MARGIN, TOP, TOP + ROW * waits.length)
  return drawing(
    'How long clients wait during a migration, and how long agentsForUser takes',
    { width: right.right + MARGIN, height },
    [...left.shapes, ...right.shapes],
  )
}

/** A line for each kind of statement, and on it a mark for each way to migrate; milliseconds, logarithmic. */
function drawWaits(waits: Wait[]): { shapes: string[]; right: number } {
  const x0 = MARGIN + Math.max(...waits.map(({ kind }) => widthOf(kind, 11))) + 12
  const x = (value: number) => Math.round(x0 + (Math.log10(Math.max(value, 10)) - 1) * (PLOT / 4))
  const bottom = TOP + ROW * waits.length
  const shapes = [text(MARGIN, MARGIN + 8, 'Longest wait of a statement while migrating', 'bold')]
  const legend = [
    ['first', 'migrate'],
    ['box', 'rollback'],
    ['second', 'drizzle-kit migrate'],
  ] as const
  let at = MARGIN + 6
  for (const [kind, words] of legend) {
    shapes.push(mark(kind, at, MARGIN + 26), text(at + 10, MARGIN + 30, words, 'small'))
    at += widthOf(words, 11) + 36
  }
  for (const [value, words] of [
    [10, '10 ms'],
    [100, '100 ms'],
    [1000, '1 s'],
    [10_000, '10 s'],
    [100_000, '100 s'],
  ] as const) {
    shapes.push(path(`M ${x(value)} ${TOP - 6} V ${bottom}`, 'faint'))
    shapes.push(text(x(value), bottom + 18, words, 'small muted', 'middle'))
  }
  for (const [i, { kind, migrate, rollback, plain }] of waits.entries()) {
    const y = TOP + ROW * i + ROW / 2
    shapes.push(
      text(x0 - 10, y + 4, kind, 'small', 'end'),
      mark('box', x(rollback), y),
      mark('first', x(migrate), y),
      mark('second', x(plain), y),
    )
  }
  shapes.push(
    text(
      MARGIN,
      bottom + 40,
      'The worst of all rounds, and of one with drizzle-kit; logarithmic.',
      'small muted',
    ),
  )
  return { shapes, right: x0 + PLOT + 24 }
}

function mark(kind: 'first' | 'second' | 'box', x: number, y: number): string {
  // Told apart by shape too.
  if (kind === 'second') return rect(x - 5, y - 5, { width: 10, height: 10 }, kind, 1)
  return `<circle cx="${x}" cy="${y}" r="5" class="${kind}"/>`
}

/** Lines over the number of users, from nought. */
function drawCalls(
  calls: Call[],
  left: number,
  top: number,
  bottom: number,
): { shapes: string[]; right: number } {
  const highest = Math.max(...calls.flatMap(({ median, p99, bare }) => [median, p99, bare]))
  const unit = 10 ** Math.floor(Math.log10(highest))
  const limit = Math.ceil(highest / unit) * unit
  const x0 = left + 44
  const x = (i: number) => x0 + 30 + i * 120
  const y = (value: number) => Math.round(bottom - (value / limit) * (bottom - top))
  const end = x(calls.length - 1)
  const shapes = [text(left, MARGIN + 8, 'agentsForUser, one call', 'bold')]
  for (const part of [0, 0.5, 1]) {
    shapes.push(
      path(`M ${x0} ${y(limit * part)} H ${end + 20}`, 'faint'),
      text(x0 - 8, y(limit * part) + 4, `${limit * part} ms`, 'small muted', 'end'),
    )
  }
  for (const [i, { users }] of calls.entries()) {
    shapes.push(text(x(i), bottom + 18, users, 'small muted', 'middle'))
  }
  shapes.push(text((x(0) + end) / 2, bottom + 40, 'users', 'small muted', 'middle'))
  const series = [
    ['p99', 'p99', 'line'],
    ['median', 'median', 'first thick'],
    ['bare', 'select 1, median', 'second thick'],
  ] as const
  let free = Number.NEGATIVE_INFINITY
  for (const [key, words, kind] of series) {
    const points = calls.map((call, i) => [x(i), y(call[key])] as const)
    shapes.push(path(`M ${points.map(point => point.join(' ')).join(' L ')}`, kind))
    const height = points.at(-1)?.[1] ?? bottom
    // Below the label before it, where they would touch.
    free = Math.max(height + 4, free + 14)
    shapes.push(text(end + 28, free, words, 'small'))
  }
  return { shapes, right: end + 28 + widthOf('select 1, median', 11) }
}
