import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, type Goal, isMet, type Report } from '../bench/measure.ts'

/*
 * pnpm benchmarks writes docs/benchmarks.md from what `pnpm bench --postgres=15 --json=bench/results/15.json` has measured.
 */
interface Results {
  date: string
  machine: string
  postgres: string
  reports: Report[]
}

const results = join(import.meta.dirname, '../bench/results')
const versions = readdirSync(results)
  .sort()
  .map(file => JSON.parse(readFileSync(join(results, file), 'utf8')) as Results)

const texts: Record<string, [heading: string, text: string]> = {
  online: [
    'How long clients wait during a migration',
    `Ten kinds of statement, each on its own connection and repeated every 5 ms, run against a baseline database while it is migrated and
then rolled back. Then the same with \`drizzle-kit migrate\`, which runs everything in one transaction. A figure is the longest time that
a client waited for one statement, or for one transaction of two; "alone" is that of ten seconds without a migration. A migration
waits at most 100 ms for a lock (\`--lock-timeout\`), and clients may queue behind it for that long. "write elsewhere" writes to a table that no migration touches: it waits only for the processor
and the disk.`,
  ],
  migrate: [
    'What a migration costs',
    `The whole migration compared with the same SQL sent by the driver in one transaction. Each run starts from a copy of the same
database. The driver and \`migrate()\` run in a process that has already started; the other two are commands, and their start counts.
On a filled database \`migrate()\` moves the rows in batches and commits each, so that clients do not wait; the driver and drizzle-kit
hold all their locks to the end. \`migrate()\` also verifies, records and probes.`,
  ],
  agents: [
    'agentsForUser',
    `One call for a random user, in turn with the same SQL on the same driver. Half of the users have changed a prompt. "Unprepared" is
for poolers in transaction mode (\`prepare: false\`).`,
  ],
  memories: [
    'listMemories',
    'A page of 50, the newest first, of a user who has half of all memories; and the last page, by the cursor of the page before.',
  ],
  check: [
    'check',
    `\`check()\` compares the ledger, reads PostgreSQL's catalogs, and tries sign-ups and every verb as a client in a transaction that it
rolls back. \`select 1\` is one round trip.`,
  ],
  startup: [
    'Start-up',
    `The built command from start to end on a migrated database, and the import of each entry point, in turn with \`node -e 0\`, and with a
program that only connects with postgres.js and asks \`select 1\`.`,
  ],
  seed: [
    'The seed',
    `10,000 agents from YAML. A plain \`insert … on conflict\` of the same rows reads and validates nothing. Most of the time goes to the
YAML library, which keeps the line and column of every value for the messages.`,
  ],
}

/** Why a goal may be missed, by how its line begins. */
const reasons: Record<string, string> = {
  '`agents-db status`':
    'A program that only connects with postgres.js and asks `select 1` takes about 80 ms more than Node alone. The rest loads drizzle-orm and commander.',
  seed: 'The seed keeps the place of every value, checks it, and compares 10,000 rows in PostgreSQL. Reading the files alone takes a quarter more than the YAML library.',
  'migrate() of a filled, quiet database':
    'Each batch is a transaction that reads its range, and writes how far it is. What the batches moved is looked through once more at the end. The probes take about 40 ms a migration, however many rows there are.',
  'agentsForUser with 1,000,000 users':
    'A random one of a million profiles is rarely in a cache. The same SQL bare slows down alike.',
  'the longest wait':
    'Ten clients and the migration share two cores. A lock is waited for 100 ms at most, and the probes run under it.',
  'migrate beside clients':
    'A lock that clients hold is tried again after a pause of up to a second, so that they get through.',
}

const titles = versions.map(({ postgres }) => `PostgreSQL ${postgres.split(' ')[0]}`)
const row = (cells: string[]) => `| ${cells.join(' | ')} |`
const figure = ({ found, unit }: Goal) => `${found.toFixed(unit === 'ms' ? 0 : unit === 'x' ? 2 : 1)} ${unit}`
const goalsOf = ({ reports }: Results) => reports.flatMap(({ goals }) => goals)
const reportsOf = (name: string) =>
  versions.flatMap(({ reports }, i) =>
    reports
      .filter(({ bench }) => bench === name)
      .map(report => `${titles[i]}: ${format({ ...report, goals: [] })}`),
  )

const goals = [...new Map(versions.flatMap(goalsOf).map(goal => [goal.what, goal])).values()].map(
  ({ what, limit, unit }) =>
    row([
      what,
      `≤ ${limit} ${unit}`,
      ...versions.map(version => {
        const goal = goalsOf(version).find(goal => goal.what === what)
        return goal ? `${figure(goal)}${isMet(goal) ? '' : ', **missed**'}` : 'not measured'
      }),
    ]),
)

const missed = Object.entries(reasons)
  .filter(([begin]) => versions.flatMap(goalsOf).some(goal => goal.what.startsWith(begin) && !isMet(goal)))
  .map(([begin, reason]) => `- **${begin}:** ${reason}`)

/** The longest wait of each kind of client, as a plot. */
function plotOf({ reports }: Results, title: string | undefined): string[] {
  const online = reports.find(({ bench }) => bench === 'online')
  const rows = online?.table.slice(1, -1) ?? []
  if (rows.length === 0) return []
  const column = (n: number) => rows.map(cells => Number.parseInt(cells[n] ?? '', 10)).join(', ')
  return [
    '```mermaid',
    'xychart-beta',
    `  title "Longest wait during migrate, ms (${title})"`,
    `  x-axis [${rows.map(([kind]) => `"${kind}"`).join(', ')}]`,
    '  y-axis "ms" 0 --> 500',
    `  bar [${column(3)}]`,
    '```',
    '',
  ]
}

const sections = Object.entries(texts).flatMap(([name, [heading, text]]) => {
  const tables = reportsOf(name)
  if (tables.length === 0) return []
  return [
    `## ${heading}`,
    '',
    text,
    '',
    `    pnpm bench ${name}`,
    '',
    ...(name === 'online' ? versions.flatMap((version, i) => plotOf(version, titles[i])) : []),
    ...tables.flatMap(table => ['```', table, '```', '']),
  ]
})

const days = [...new Set(versions.map(({ date }) => date.slice(0, 10)))].join(' and ')
const document = [
  '# Benchmarks',
  '',
  `Measured on ${days}: ${versions[0]?.machine}, on a server that is durable (\`fsync\` on) and on the same machine as its clients. What is`,
  'compared ran in the same run, in turn (in `online`: one after the other). Figures are medians unless the heading says otherwise. Other',
  'programs were running all the time, so single figures are noisy.',
  '',
  '    pnpm bench [NAME ...] [--rounds=N] [--users=N] [--memories=N] [--postgres=15] [--json=FILE]',
  '',
  '`pnpm benchmarks` writes this page from `bench/results`.',
  '',
  '## Goals',
  '',
  row(['', 'goal', ...titles]),
  row(['---', '---', ...titles.map(() => '---')]),
  ...goals,
  '',
  ...(missed.length > 0 ? ['Why some are missed:', '', ...missed, ''] : []),
  ...sections,
]
writeFileSync(join(import.meta.dirname, '../docs/benchmarks.md'), `${document.join('\n').trimEnd()}\n`)
