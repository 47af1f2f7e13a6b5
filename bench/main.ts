import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { programsOf } from '../tests/support/programs.ts'
import { format, isMet, type Options, type Report } from './measure.ts'
import { versionOf } from './scratch.ts'

// `pnpm bench` measures everything, `pnpm bench NAME ...` some of it.

type Bench = (options: Options) => Promise<Omit<Report, 'bench'>[]>

/** What we can measure, the quick ones first. */
const benches: Record<string, () => Promise<{ default: Bench }>> = {
  startup: () => import('./startup.ts'),
  check: () => import('./check.ts'),
  seed: () => import('./seed.ts'),
  agents: () => import('./agents.ts'),
  memories: () => import('./memories.ts'),
  migrate: () => import('./migrate.ts'),
  online: () => import('./online.ts'),
}

const number = { type: 'string' } as const
const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter(argument => argument !== '--'),
  allowPositionals: true,
  options: {
    rounds: number,
    users: number,
    memories: number,
    postgres: number,
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
})
const unknown = positionals.filter(name => !Object.hasOwn(benches, name))
if (values.help || unknown.length > 0) {
  const usage = `usage: pnpm bench [${Object.keys(benches).join(' | ')}] ... [--rounds=N] [--users=N] [--memories=N] [--postgres=15] [--json=FILE]`
  console.error(unknown.length > 0 ? `no such bench: ${unknown.join(', ')}\n${usage}` : usage)
  process.exit(unknown.length > 0 ? 2 : 0)
}

const options: Options = {
  ...(values.rounds && { rounds: Number(values.rounds) }),
  ...(values.users && { users: Number(values.users) }),
  ...(values.memories && { memories: Number(values.memories) }),
  ...(values.postgres && { programs: await programsOf(values.postgres) }),
}
const reports: Report[] = []
for (const bench of positionals.length > 0 ? positionals : Object.keys(benches)) {
  for (const found of (await (await benches[bench]?.())?.default(options)) ?? []) {
    const report = { bench, ...found }
    reports.push(report)
    console.log(`\n${format(report)}`)
  }
}
if (values.json) {
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}`
  // Of other benches, what an earlier call measured stays.
  const earlier: Report[] = existsSync(values.json)
    ? JSON.parse(readFileSync(values.json, 'utf8')).reports
    : []
  const kept = earlier.filter(({ bench }) => !reports.some(report => report.bench === bench))
  const document = {
    date: new Date().toISOString(),
    machine,
    postgres: await versionOf(options),
    reports: [...kept, ...reports],
  }
  writeFileSync(values.json, `${JSON.stringify(document, null, 2)}\n`)
}
const missed = reports.flatMap(({ goals }) => goals).filter(goal => !isMet(goal))
if (missed.length > 0) console.log(`\n${missed.length} of the goals were missed`)
