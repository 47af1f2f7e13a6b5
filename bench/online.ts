import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '../src/database.ts'
import { migrate, rollback } from '../src/migrate.ts'
import type { Tally } from './clients.ts'
import { drizzleKit, root } from './command.ts'
import { baseline, makeBaseline } from './fill.ts'
import { readOptions } from './options.ts'
import { type Scratch, withScratch } from './scratch.ts'
import { median, print } from './statistics.ts'

/*
 * How long clients wait while the database is migrated, up and down, on a durable server, and beside it the same load
 * under plain `drizzle-kit migrate`. `--users` and `--rounds` make it smaller or longer.
 */
const { users, rounds } = readOptions('online', { users: 200_000, rounds: 1 })

/** No client may wait longer, in milliseconds. */
const target = 300

interface Result {
  name: string
  seconds: number
  tallies: Tally[]
}

await withScratch(
  async scratch => {
    const { clone, urlOf } = scratch
    await makeBaseline(scratch, 'base', users)
    const results: Result[] = []
    for (let round = 1; round <= rounds; round++) {
      await clone('online', 'base')
      for (const way of ['migrate', 'rollback'] as const) {
        const load = await underLoad(scratch, 'online', () => ours(urlOf('online'), way))
        results.push({ name: `${way} ${round}`, ...load })
      }
      report(results.slice(-2))
    }
    await clone('plain', 'base')
    const load = await underLoad(scratch, 'plain', () => plain(urlOf('plain')))
    summarise(results, { name: 'drizzle-kit migrate', ...load })
  },
  { max_wal_size: '4GB', shared_buffers: '512MB' },
)

async function ours(url: string, way: 'migrate' | 'rollback'): Promise<void> {
  const db = createDatabase(url, { max: 2, connection: { application_name: way } })
  const onWait = ({ message }: { message: string }) =>
    process.stderr.write(`waited: ${message.split('\n')[0]}\n`)
  const started = performance.now()
  const onStart = (name: string) =>
    process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1)} s ${way} ${name}\n`)
  try {
    if (way === 'migrate') await migrate(db, { onWait, onStart })
    else await rollback(db, { to: baseline, onWait, onStart })
  } finally {
    await db.$client.end()
  }
}

/** It may fail, as it has under load: then the clients' waits count all the same. */
async function plain(url: string): Promise<void> {
  const kit = spawn(drizzleKit, ['migrate'], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(kit, 'exit')
  if (code !== 0) process.stderr.write(`drizzle-kit migrate exited with ${code}\n`)
}

async function underLoad(
  { urlOf }: Scratch,
  database: string,
  work: () => Promise<void>,
): Promise<{ seconds: number; tallies: Tally[] }> {
  const clients: ChildProcess = fork(fileURLToPath(new URL('./clients.ts', import.meta.url)), [
    '--run',
    urlOf(database, 'superuser'),
  ])
  await once(clients, 'message')
  const started = performance.now()
  try {
    await work()
  } finally {
    clients.send('stop')
  }
  const seconds = (performance.now() - started) / 1000
  const [tallies] = (await once(clients, 'message')) as [Tally[]]
  return { seconds, tallies }
}

function report(results: Result[]): void {
  const cell = ({ longest, errors }: Tally) => wait(longest, errors.length)
  printByKind(
    results.map(({ name, seconds, tallies }) => ({ name, cells: tallies.map(cell), seconds })),
    results,
  )
}

/** The middle round and the worst one, for each kind of statement by itself. */
function summarise(results: Result[], plain: Result): void {
  const runs = ['migrate', 'rollback'].flatMap(way => {
    const ofWay = results.filter(({ name }) => name.startsWith(way))
    const across = (measure: (values: number[]) => number) => ({
      cells: kinds(plain).map((_, i) => {
        const tallies = ofWay.flatMap(({ tallies }) => tallies[i] ?? [])
        const errors = tallies.reduce((sum, tally) => sum + tally.errors.length, 0)
        return wait(measure(tallies.map(({ longest }) => longest)), errors)
      }),
      seconds: measure(ofWay.map(({ seconds }) => seconds)),
    })
    return [
      { name: `${way}, median`, ...across(median) },
      { name: `${way}, worst`, ...across(values => Math.max(...values)) },
    ]
  })
  const cells = plain.tallies.map(({ longest, errors }) => wait(longest, errors.length))
  printByKind([...runs, { name: plain.name, cells, seconds: plain.seconds }], [...results, plain])
  const kept = results.filter(({ tallies }) =>
    tallies.every(({ longest, errors }) => longest <= target && errors.length === 0),
  )
  console.log(
    `\nunder ${target} ms for every client, without an error: ${kept.length} of ${results.length} runs`,
  )
}

function kinds({ tallies }: Result): string[] {
  return tallies.map(({ kind }) => kind)
}

function wait(longest: number, errors: number): string {
  return `${Math.round(longest)} ms${errors > 0 ? `, ${errors} errors` : ''}`
}

function printByKind(runs: { name: string; cells: string[]; seconds: number }[], results: Result[]): void {
  const [first] = results
  print(`longest wait by kind of statement, ${users} users, ${users * 5} memories, rounds: ${rounds}`, [
    ['', ...runs.map(({ name }) => name)],
    ...(first ? kinds(first) : []).map((kind, i) => [kind, ...runs.map(({ cells }) => cells[i] ?? '')]),
    ['(whole)', ...runs.map(({ seconds }) => `${seconds.toFixed(1)} s`)],
  ])
  for (const { name, tallies } of results) {
    for (const error of new Set(tallies.flatMap(({ errors }) => errors))) console.log(`${name}: ${error}`)
  }
}
