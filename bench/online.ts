import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '../src/database.ts'
import { rollback } from '../src/migrate.ts'
import type { Tally } from './clients.ts'
import { type Options, percentile } from './measure.ts'
import { baseline, drizzleKit, makeBaseline, migrateTo, run, withScratch } from './scratch.ts'

interface Run {
  seconds: number
  tallies: Tally[]
}

/** How long clients wait when they are alone, and during `migrate`, `rollback` and `drizzle-kit migrate`. */
export default async function online({ users = 200_000, rounds = 1, ...options }: Options) {
  return await withScratch(options, async scratch => {
    const { clone, urlOf } = scratch
    const url = urlOf('online')
    await makeBaseline(scratch, 'base', users)
    // What the machine makes clients wait for even when nothing is migrated.
    await clone('online', 'base')
    const quiet = await underLoad(urlOf('online', 'superuser'), () => pause(10_000))
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

    const table = [
      ['', 'alone', 'migrate, median', 'worst', 'rollback, median', 'worst', 'drizzle-kit migrate'],
      ...kit.tallies.map(({ kind }, i) => [
        kind,
        wait([quiet], i, 100),
        ...[50, 100].map(p => wait(ups, i, p)),
        ...[50, 100].map(p => wait(downs, i, p)),
        wait([kit], i, 100),
      ]),
      [
        '(all of it)',
        '',
        ...[50, 100].map(p => `${whole(ups, p).toFixed(1)} s`),
        ...[50, 100].map(p => `${whole(downs, p).toFixed(1)} s`),
        `${whole([kit], 100).toFixed(1)} s`,
      ],
    ]
    const worst = (what: string, runs: Run[]) => ({
      what: `the longest wait of any client during ${what}`,
      found: Math.max(...runs.flatMap(({ tallies }) => tallies.map(({ longest }) => longest))),
      limit: 300,
      unit: 'ms' as const,
    })
    const errors = [...ups, ...downs].flatMap(({ tallies }) => tallies.flatMap(({ errors }) => errors))
    for (const error of new Set(errors)) console.log(error)
    const goals = [
      worst('migrate', ups),
      worst('rollback', downs),
      { what: 'errors of clients', found: errors.length, limit: 0, unit: 'x' as const },
      {
        what: 'migrate beside clients that never pause',
        found: whole(ups, 50),
        limit: 40,
        unit: 's' as const,
      },
    ]
    const title = `longest wait by kind of statement, ${users} users, ${users * 5} memories, rounds: ${rounds}`
    return [{ title, table, goals }]
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

/** How long the work took, in seconds. */
function whole(runs: Run[], percent: number): number {
  return percentile(
    runs.map(({ seconds }) => seconds),
    percent,
  )
}
