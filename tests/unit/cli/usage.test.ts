import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { ownDirectory } from '../../support/folder.ts'
import { root } from '../../support/root.ts'

const number = (most: number, least: number) => `is invalid. Give a whole number from ${least} to ${most}.`

test.each<[args: string, message: string, help: string]>([
  ['frobnicate', "unknown command 'frobnicate'", ''],
  ['statsu', "unknown command 'statsu'\n(Did you mean status?)", ''],
  ['constructor', "unknown command 'constructor'", ''],
  ['--plan', "unknown option '--plan'", ''],
  ['migrate --tu x', "unknown option '--tu'\n(Did you mean --to?)", 'migrate '],
  ['migrate --to', "option '--to <name>' argument missing", 'migrate '],
  ['migrate everything', "too many arguments for 'migrate'. Expected 0 arguments but got 1.", 'migrate '],
  ['migrate --retries -1', `option '--retries <n>' argument '-1' ${number(2147483647, 0)}`, 'migrate '],
  ['rollback --retries=many', `option '--retries <n>' argument 'many' ${number(2147483647, 0)}`, 'rollback '],
  [
    'archive drop --lock-timeout 0',
    `option '--lock-timeout <ms>' argument '0' ${number(2147483647, 1)}`,
    'archive ',
  ],
  ['db start --port 70000', `option '--port <n>' argument '70000' ${number(65535, 1)}`, 'db '],
  ['db stop --port 5000', "unknown option '--port'", 'db '],
  ['archive keep', "too many arguments for 'archive'. Expected 0 arguments but got 1.", 'archive '],
  ['archive drop twice', "too many arguments for 'drop'. Expected 0 arguments but got 1.", 'archive '],
  ['db stat', "unknown command 'stat'\n(Did you mean start?)", 'db '],
])('%s exits 2, says what is wrong and where help is, and does nothing', async (args, wrong, command) => {
  const cwd = await ownDirectory()
  const message = `${wrong}\nSee \`agents-db ${command}--help\`.`
  expect(await runCli(args.split(' '), { cwd })).toEqual({ code: 2, stdout: '', stderr: `${message}\n` })
  const { code, stdout } = await runCli([...args.split(' '), '--json'], { cwd })
  expect({ code, document: JSON.parse(stdout) }).toEqual({
    code: 2,
    document: { error: { code: 'USAGE', message } },
  })
  expect(await readdir(cwd)).toEqual([])
})

test.each([[[]], [['db']]])('%j lacks a command: it prints the help on stderr, and exits 2', async args => {
  const { stdout } = await runCli([...args, '--help'])
  const message = `a command is missing\nSee \`${['agents-db', ...args].join(' ')} --help\`.`
  expect(await runCli(args)).toEqual({ code: 2, stdout: '', stderr: `${stdout}${message}\n` })
  const json = await runCli([...args, '--json'])
  expect(JSON.parse(json.stdout)).toEqual({ error: { code: 'USAGE', message } })
})

test.each([[['--', 'migrate']], [['migrate', '--']]])(
  'dashes that pnpm passes on are ignored: %j',
  async args => {
    const { code, stderr } = await runCli([...args, '--retries', 'many'])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("argument 'many' is invalid"),
    })
  },
)

test.each(['--help', '-h', 'help'])('%s lists every command and exits 0', async word => {
  const { code, stdout, stderr } = await runCli([word])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const listed = [...stdout.split('Commands:')[1]!.matchAll(/^ {2}(\w+) {2,}\w/gm)].map(([, name]) => name)
  expect(listed).toEqual('start migrate rollback seed status check adopt repair archive db'.split(' '))
  expect(stdout).toContain('Exit codes: 0 done or clean; 1 error; 2 wrong usage;')
})

const locks = ['--lock-timeout <ms>', '--retries <n>']
const ignore = '--ignore <functions...>'
test.each([
  ['start', ['--port <n>', '--yes']],
  ['migrate', ['--to <name>', '--plan', ...locks, ignore]],
  ['rollback', ['--to <name>', ...locks, ignore]],
  ['seed', ['--llms <file>', '--agents <file>', '--dry-run', '--prune', '--yes']],
  ['status', []],
  ['check', ['--accept']],
  ['adopt', ['--yes', '--accept']],
  ['repair', ['--yes']],
  ['archive', ['drop [options]']],
  ['archive drop', ['--yes', ...locks]],
  ['db', ['start [options]', 'stop', 'url', 'reset [options]']],
  ['db start', ['--port <n>']],
  ['db reset', ['--port <n>', '--yes']],
])('%s --help explains its options', async (command, options) => {
  const { code, stdout } = await runCli([...command.split(' '), '--help'])
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`^Usage: agents-db ${command} `))
  const explained = [...stdout.matchAll(/^ {2}(\S.*?) {2,}\w/gm)].map(([, term]) => term)
  expect(explained.filter(term => !/--(help|json|version|ledger <schema.table>)$/.test(term!))).toEqual(
    options,
  )
  expect(explained).toContain('--json')
})

test.each(['--version', '-v'])('%s prints the version', async option => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  expect(await runCli([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

describe('DATABASE_URL', () => {
  const form = /^DATABASE_URL is not a URL of the form postgresql:\/\/.*percent-encoded\n$/
  const unreachable = /^cannot reach PostgreSQL at 127\.0\.0\.1:1 \(ECONNREFUSED\)/
  test.each([
    ['localhost', 2, form],
    ['', 2, /^DATABASE_URL is empty/],
    // Read as a URL, the password would be part of the path or the fragment, and shown.
    ['postgresql://me:7/hunter2@127.0.0.1/db', 2, form],
    ['postgresql://me:7#hunter2@127.0.0.1/db', 2, form],
    ['postgresql://me:hunter2@nowhere.invalid/db', 1, /nowhere\.invalid: there is no such host\./],
    ['postgresql://me:hunter2@127.0.0.1:1/db', 1, unreachable],
    ['postgresql://me:hunter2@127.0.0.1:1/db?pgbouncer=true&schema=public', 1, unreachable],
    [
      'postgresql://me:hunter2@/db?host=/nowhere',
      1,
      /^cannot reach PostgreSQL at \/nowhere\/\.s\.PGSQL\.5432 \(ENOENT\)/,
    ],
    [
      'postgresql://me:hunter2@127.0.0.1:1,[::1]:1/db?connect_timeout=1',
      1,
      /^cannot reach PostgreSQL at any of 127\.0\.0\.1, ::1 within 1 s\n$/,
    ],
    ['postgresql://me:hunter2@h/db?foo=bar', 2, /^DATABASE_URL asks for what cannot be had here: foo\. /],
  ])('%j exits %i, and no password is shown', async (url, code, message) => {
    for (const command of ['status', 'start']) {
      const result = await runCli([command], { env: { DATABASE_URL: url } })
      expect(result).toEqual({ code, stdout: '', stderr: expect.stringMatching(message) })
      expect(result.stderr).not.toContain('hunter2')
    }
  })

  test('is read from .env, unless the environment has it', async () => {
    const cwd = await ownDirectory()
    await writeFile(join(cwd, '.env'), 'DATABASE_URL="postgresql://me@127.0.0.1:1/db" # for tests\n')
    const env = { DATABASE_URL: 'postgresql://me@127.0.0.1:2/db' }
    for (const [options, address] of [
      [{ cwd }, '127.0.0.1:1 '],
      [{ cwd, env }, '127.0.0.1:2 '],
    ] as const)
      expect(await runCli(['status'], options)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(address),
      })
  })
})

test.each([
  'DATABASE_URL: postgresql://me@h/db',
  'export\tDATABASE_URL=postgresql://me@h/db',
  'a line without a value\nDATABASE_URL=postgresql://me@h/db',
  'database_url=postgresql://me@h/db',
  Buffer.from('\uFEFFDATABASE_URL=postgresql://me@h/db', 'utf16le').swap16(),
])('no local server stands in for a DATABASE_URL that cannot be read: %j', async text => {
  const cwd = await ownDirectory()
  await writeFile(join(cwd, '.env'), text)
  const stderr = '.env names DATABASE_URL, but cannot be read. Write it on one line, as DATABASE_URL=value.\n'
  expect(await runCli(['status'], { cwd })).toEqual({ code: 2, stdout: '', stderr })
  await writeFile(join(cwd, '.env'), '# DATABASE_URL=\nTEST_DATABASE_URL=x\nAGENTS_DB_PORT=any\n')
  expect((await runCli(['status'], { cwd })).stderr).toMatch(/^AGENTS_DB_PORT is "any"/)
})

test.each(['start', 'db start'])('%s refuses an AGENTS_DB_PORT that is not a port', async command => {
  const cwd = await ownDirectory()
  await writeFile(join(cwd, '.env'), 'AGENTS_DB_PORT=any\n')
  const stderr = 'AGENTS_DB_PORT is "any". Give a whole number from 1 to 65535.\n'
  for (const env of [{}, { AGENTS_DB_PORT: 'any' }])
    expect(await runCli(command.split(' '), { cwd, env })).toEqual({ code: 2, stdout: '', stderr })
  expect(await readdir(cwd)).toEqual(['.env'])
})

test('what cannot be undone needs --yes without a terminal', async () => {
  const cwd = await ownDirectory()
  const question = `Delete all data of the local server in ${join(cwd, '.data')}?`
  const stderr = `${question} Without a terminal, pass --yes.\n`
  expect(await runCli(['db', 'reset'], { cwd })).toEqual({ code: 2, stdout: '', stderr })
  expect(await readdir(cwd)).toEqual([])
})

test.each(['n\n', '\n', 'yesterday\n', ''])('nor is it done on a terminal where %j is typed', async typed => {
  const cwd = await ownDirectory()
  const { code, stdout, stderr } = await runCli(['db', 'reset', '--json'], { cwd, typed })
  expect({ code, document: JSON.parse(stdout) }).toEqual({
    code: 1,
    document: { error: { code: 'DECLINED', message: 'cancelled; nothing was changed' } },
  })
  expect(stderr).toContain('[y/N]')
  expect(await readdir(cwd)).toEqual([])
})

test('an error is marked in red on a terminal, without colour where NO_COLOR is set', async () => {
  vi.stubEnv('FORCE_COLOR', undefined)
  onTestFinished(() => void vi.unstubAllEnvs())
  const marked = async (env: Record<string, string>) =>
    (await runCli(['statsu'], { typed: '', env })).stderr.split(' unknown')[0]
  expect(await marked({})).toBe('\u001b[31m✗\u001b[39m')
  expect(await marked({ NO_COLOR: '1' })).toBe('✗')
})

test.each([
  [{}, 'agents-db'],
  [{ npm_lifecycle_event: 'db', npm_package_name: 'their-app' }, 'agents-db'],
  [{ npm_lifecycle_event: 'db', npm_package_name: '@agents/db' }, 'pnpm'],
])('a hint names the command as it was called: %j', async (env, self) => {
  const stderr = `the local PostgreSQL is not running; \`${self} db start\` starts it\n`
  expect(await runCli(['db', 'url'], { cwd: await ownDirectory(), env })).toEqual({
    code: 1,
    stdout: '',
    stderr,
  })
})

test('a run leaves nothing on the process', async () => {
  const listeners = () => process.eventNames().map(name => [name, process.listenerCount(name)])
  const before = listeners()
  await runCli(['db', 'reset'], { typed: 'n\n' })
  expect(listeners()).toEqual(before)
})
