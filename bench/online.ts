import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '../src/database.ts'
import { rollback } from '../src/migrate.ts'
import type { Tally } from './clients.ts'
import { percentile, printTable, type Sizes } from './measure.ts'
import { baseline, drizzleKit, makeBaseline, migrateTo, run, withScratch } from './scratch.ts'

/** The longest that a client may wait, in milliseconds. */
const target = 300

interface Run {
  seconds: number
  tallies: Tally[]
}

/** How long clients wait during `migrate`, `rollback` and `drizzle-kit migrate`. */
export default async function online({ users = 200_000, rounds = 1 }: Sizes): Promise<void> {
  await withScratch(async scratch => {
    const { clone, urlOf } = scratch
    const url = urlOf('online')
    await makeBaseline(scratch, 'base', users)
    const ups: Run[] = []
    const downs: Run[] = []
    for (let round = 1; round <= rounds; round++) {
      await clone('online', 'base')
      ups.push(await underLoad(urlOf('online', 'superuser'), () => migrateTo(url)))
      downs.push(await underLoad(urlOf('online', 'superuser'), () => down(url)))
    }
    await clone('online', 'base')
    const env = { ...process.env, DATABASE_URL: url }
    // It may fail, as it has under load. The clients' waits count all the same.
    const plain = () =>
      run(drizzleKit, ['migrate'], { env }).catch(() => console.log('drizzle-kit migrate failed'))
    const kit = await underLoad(urlOf('online', 'superuser'), plain)

    printTable(
      `longest wait by kind of statement, ${users} users, ${users * 5} memories, rounds: ${rounds}`,
      [
        ['', 'migrate, median', 'worst', 'rollback, median', 'worst', 'drizzle-kit migrate'],
        ...kit.tallies.map(({ kind }, i) => [
          kind,
          ...[50, 100].map(p => wait(ups, i, p)),
          ...[50, 100].map(p => wait(downs, i, p)),
          wait([kit], i, 100),
        ]),
        [
          '(all of it)',
          ...[50, 100].map(p => whole(ups, p)),
          ...[50, 100].map(p => whole(downs, p)),
          whole([kit], 100),
        ],
      ],
    )
    const all = [...ups, ...downs]
    const kept = all.filter(({ tallies }) =>
      tallies.every(({ longest, errors }) => longest <= target && errors.length === 0),
    )
    console.log(
      `\nunder ${target} ms for every client, without an error: ${kept.length} of ${all.length} runs`,
    )
    for (const error of new Set(all.flatMap(({ tallies }) => tallies.flatMap(({ errors }) => errors))))
      console.log(error)
  })
}

async function down(url: string): Promise<void> {
  const db = createDatabase(url, { max: 2 })
  await rollback(db, { to: baseline }).finally(() => db.$client.end())
}

/** Runs `work` while clients run in another process, so that neither delays the other. */
async function underLoad(url: string, work: () => Promise<unknown>): Promise<Run> {
  const clients = fork(fileURLToPath(new URL('./clients.ts', import.meta.url)), [url])
  await once(clients, 'message')
  const started = performance.now()
  await work().finally(() => clients.send('stop'))
  const seconds = (performance.now() - started) / 1000
  const [tallies] = (await once(clients, 'message')) as [Tally[]]
  return { seconds, tallies }
}

function wait(runs: Run[], kind: number, percent: number): string {
  const tallies = runs.flatMap(({ tallies }) => tallies[kind] ?? [])
  const errors = tallies.flatMap(({ errors }) => errors).length
  const longest = percentile(
    tallies.map(tally => tally.longest),
    percent,
  )
  return `${Math.round(longest)} ms${errors > 0 ? `, ${errors} errors` : ''}`
}

function whole(runs: Run[], percent: number): string {
  return `${percentile(
    runs.map(({ seconds }) => seconds),
    percent,
  ).toFixed(1)} s`
}
