import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { columns } from '../src/cli/output.ts'
import { createDatabase } from '../src/database.ts'
import { startServer, stopServer } from '../src/local/server.ts'
import { migrate, rollback } from '../src/migrations/index.ts'
import type { Tally } from './clients.ts'

/*
 * How long clients wait while the database is migrated, up and down, on a durable server, and beside it the same load
 * under plain `drizzle-kit migrate`. `--users` and `--rounds` make it smaller or longer.
 */
const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '1' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log('usage: pnpm bench [--users=200000] [--rounds=1]')
  process.exit()
}
const users = Number(values.users)
const rounds = Number(values.rounds)

const directory = await mkdtemp(join(tmpdir(), 'agents-db-bench-'))
const server = await startServer({
  directory,
  port: 0,
  settings: { max_wal_size: '4GB', shared_buffers: '512MB' },
})
const admin = postgres(server.adminUrl, { onnotice: () => {}, max: 1 })
try {
  await fill()
  const results: { name: string; seconds: number; tallies: Tally[] }[] = []
  for (let round = 1; round <= rounds; round++) {
    await clone('online')
    results.push({ name: `migrate ${round}`, ...(await underLoad('online', () => ours('up'))) })
    results.push({ name: `rollback ${round}`, ...(await underLoad('online', () => ours('down'))) })
    report(results.slice(-2))
  }
  await clone('plain')
  results.push({ name: 'drizzle-kit migrate', ...(await underLoad('plain', drizzleKit)) })
  report(results)
} finally {
  await admin.end()
  await stopServer(directory)
  await rm(directory, { recursive: true, force: true })
}

/** A baseline database of `users` users with three agents and five memories each, half of them 'work'. */
async function fill(): Promise<void> {
  await admin`create database base owner postgres`
  const db = createDatabase(urlOf('base'), { max: 2 })
  await migrate(db, { to: 'secure_the_agent_tables' })
  await db.$client.end()
  const base = postgres(urlOf('base', true), { onnotice: () => {}, max: 1 })
  await base`insert into public.llms (model_code, provider, display_name, status) values ('m', 'p', 'M', 'active')`
  await base`insert into public.user_agent_catalog (agent_type, llm_id, status, config)
             select t, l.id, 'active', '{"prompt": "You are an agent."}'
               from public.llms l, unnest(array['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING']) t`
  await base`insert into auth.users (id, email)
             select gen_random_uuid(), 'u' || n || '@example.test' from generate_series(1, ${users}) n`
  await base`insert into public.memories (user_id, agent_id, memory_type, content, status)
             select a.user_id, case when n % 2 = 0 then a.id end, case when n % 2 = 0 then 'work' else 'user' end,
                    'What was said in conversation ' || n, 'active'
               from public.user_agents a, generate_series(1, 5) n
              where a.agent_type = 'TASK_EXECUTION'`
  await base`vacuum analyze`
  await base`checkpoint`
  await base.end()
}

async function clone(name: string): Promise<void> {
  await admin`drop database if exists ${admin(name)} with (force)`
  await admin`create database ${admin(name)} template base owner postgres`
  await admin`checkpoint`
}

function urlOf(database: string, superuser = false): string {
  const url = new URL(superuser ? server.adminUrl : server.url)
  url.pathname = `/${database}`
  return url.href
}

async function ours(direction: 'up' | 'down'): Promise<void> {
  const db = createDatabase(urlOf('online'), { max: 2, connection: { application_name: 'migrate' } })
  const onWait = ({ message }: { message: string }) =>
    process.stderr.write(`waited: ${message.split('\n')[0]}\n`)
  const started = performance.now()
  const onStep = (name: string) =>
    process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1)} s ${direction} ${name}\n`)
  try {
    if (direction === 'up') await migrate(db, { onWait, onStep })
    else await rollback(db, { to: 'secure_the_agent_tables', onWait, onStep })
  } finally {
    await db.$client.end()
  }
}

async function drizzleKit(): Promise<void> {
  const kit = spawn('node_modules/.bin/drizzle-kit', ['migrate'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, DATABASE_URL: urlOf('plain') },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(kit, 'exit')
  if (code !== 0) process.stderr.write(`drizzle-kit migrate exited with ${code}\n`)
}

async function underLoad(
  database: string,
  work: () => Promise<void>,
): Promise<{ seconds: number; tallies: Tally[] }> {
  const clients: ChildProcess = fork(fileURLToPath(new URL('./clients.ts', import.meta.url)), [
    '--run',
    urlOf(database, true),
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

function report(results: { name: string; seconds: number; tallies: Tally[] }[]): void {
  const kinds = results[0]?.tallies.map(tally => tally.kind) ?? []
  const cell = (tally: Tally | undefined) =>
    tally
      ? `${Math.round(tally.longest)} ms${tally.errors.length > 0 ? `, ${tally.errors.length} errors` : ''}`
      : ''
  const rows = kinds.map(kind => [
    kind,
    ...results.map(({ tallies }) => cell(tallies.find(t => t.kind === kind))),
  ])
  const lengths = ['(whole)', ...results.map(({ seconds }) => `${seconds.toFixed(1)} s`)]
  console.log(`\nlongest wait by kind of statement, ${users} users, ${users * 5} memories`)
  for (const line of columns([['', ...results.map(({ name }) => name)], ...rows, lengths])) console.log(line)
  for (const { name, tallies } of results) {
    for (const error of new Set(tallies.flatMap(tally => tally.errors))) console.log(`${name}: ${error}`)
  }
}
