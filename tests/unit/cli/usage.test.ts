import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { root } from '../../support/root.ts'

async function emptyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

const wrong: [args: string[], message: string][] = [
  [['frobnicate'], "unknown command 'frobnicate'\nSee `agents-db --help`."],
  [['statsu'], "unknown command 'statsu'\n(Did you mean status?)\nSee `agents-db --help`."],
  [['constructor'], "unknown command 'constructor'\nSee `agents-db --help`."],
  [['--plan'], "unknown option '--plan'\nSee `agents-db --help`."],
  [['migrate', '--tu', 'x'], "unknown option '--tu'\n(Did you mean --to?)\nSee `agents-db migrate --help`."],
  [['migrate', '--to'], "option '--to <name>' argument missing\nSee `agents-db migrate --help`."],
  [
    ['migrate', 'everything'],
    "too many arguments for 'migrate'. Expected 0 arguments but got 1.\nSee `agents-db migrate --help`.",
  ],
  [
    ['migrate', '--retries', '-1'],
    "option '--retries <n>' argument '-1' is invalid. Give a whole number from 0 to 2147483647.\nSee `agents-db migrate --help`.",
  ],
  [
    ['rollback', '--retries=many'],
    "option '--retries <n>' argument 'many' is invalid. Give a whole number from 0 to 2147483647.\nSee `agents-db rollback --help`.",
  ],
  [
    ['archive', 'drop', '--yes', '--lock-timeout', '0'],
    "option '--lock-timeout <ms>' argument '0' is invalid. Give a whole number from 1 to 2147483647.\nSee `agents-db archive --help`.",
  ],
  [
    ['db', 'start', '--port', '70000'],
    "option '--port <n>' argument '70000' is invalid. Give a whole number from 1 to 65535.\nSee `agents-db db --help`.",
  ],
  [['db', 'stop', '--port', '5000'], "unknown option '--port'\nSee `agents-db db --help`."],
  [
    ['archive', 'keep'],
    "too many arguments for 'archive'. Expected 0 arguments but got 1.\nSee `agents-db archive --help`.",
  ],
  [
    ['archive', 'drop', 'twice'],
    "too many arguments for 'drop'. Expected 0 arguments but got 1.\nSee `agents-db archive --help`.",
  ],
  [['db', 'stat'], "unknown command 'stat'\n(Did you mean start?)\nSee `agents-db db --help`."],
  [
    ['db', 'start', 'twice'],
    "too many arguments for 'start'. Expected 0 arguments but got 1.\nSee `agents-db db --help`.",
  ],
]

test.each(wrong)(
  '%j exits 2, says what is wrong and where help is, and does nothing',
  async (args, message) => {
    const cwd = await emptyDirectory()
    expect(await runCli(args, { cwd })).toEqual({ code: 2, stdout: '', stderr: `${message}\n` })
    const { code, stdout } = await runCli([...args, '--json'], { cwd })
    expect({ code, document: JSON.parse(stdout) }).toEqual({
      code: 2,
      document: { error: { code: 'USAGE', message } },
    })
    expect(await readdir(cwd)).toEqual([])
  },
)

test.each([
  { args: [], help: 'agents-db --help' },
  { args: ['db'], help: 'agents-db db --help' },
])('$args lacks a command: it prints the help on stderr, and exits 2', async ({ args, help }) => {
  const { stdout } = await runCli([...args, '--help'])
  const message = `a command is missing\nSee \`${help}\`.`
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

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])('%s lists every command and exits 0', async word => {
    const { code, stdout, stderr } = await runCli([word])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(
      [...stdout.split('Commands:')[1]!.matchAll(/^ {2}(\w+) {2,}\w/gm)].map(([, name]) => name),
    ).toEqual('start migrate rollback seed status check adopt repair archive db'.split(' '))
    expect(stdout).toContain('Exit codes: 0 done or clean; 1 error; 2 wrong usage;')
  })

  const locks = ['--lock-timeout <ms>', '--retries <n>']
  test.each([
    ['start', ['--port <n>', '--yes']],
    ['migrate', ['--to <name>', '--plan', ...locks]],
    ['rollback', ['--to <name>', ...locks]],
    ['seed', ['--llms <file>', '--agents <file>', '--dry-run', '--prune', '--yes']],
    ['status', []],
    ['check', []],
    ['adopt', ['--yes']],
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
    expect(explained.filter(term => !/--(help|json|version)$/.test(term!))).toEqual(options)
    expect(explained).toContain('--json')
  })
})

test.each(['--version', '-v'])('%s prints the version', async option => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  expect(await runCli([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

describe('DATABASE_URL', () => {
  const form = /^DATABASE_URL is not a URL of the form postgresql:\/\/.*percent-encoded\n$/
  test.each([
    ['localhost', 2, form],
    ['', 2, /^DATABASE_URL is empty/],
    // Read as a URL, the password would be part of the path or the fragment, and shown.
    ['postgresql://me:7/hunter2@127.0.0.1/db', 2, form],
    ['postgresql://me:7#hunter2@127.0.0.1/db', 2, form],
    ['postgresql://me:hunter2@nowhere.invalid/db', 1, /nowhere\.invalid: there is no such host\./],
    [
      'postgresql://me:hunter2@127.0.0.1:1/db',
      1,
      /^cannot reach PostgreSQL at 127\.0\.0\.1:1 \(ECONNREFUSED\)/,
    ],
  ])('%j exits %i, and no password is shown', async (url, code, message) => {
    for (const command of ['status', 'start']) {
      const result = await runCli([command], { env: { DATABASE_URL: url } })
      expect(result).toEqual({ code, stdout: '', stderr: expect.stringMatching(message) })
      expect(result.stderr).not.toContain('hunter2')
    }
  })

  test('is read from .env, unless the environment has it', async () => {
    const cwd = await emptyDirectory()
    await writeFile(join(cwd, '.env'), 'DATABASE_URL="postgresql://me@127.0.0.1:1/db" # for tests\n')
    const fromFile = await runCli(['status'], { cwd })
    expect(fromFile).toMatchObject({ code: 1, stderr: expect.stringContaining('127.0.0.1:1 ') })
    const env = { DATABASE_URL: 'postgresql://me@127.0.0.1:2/db' }
    const fromEnvironment = await runCli(['status'], { cwd, env })
    expect(fromEnvironment).toMatchObject({ code: 1, stderr: expect.stringContaining('127.0.0.1:2 ') })
  })
})

test.each(['start', 'db start'])('AGENTS_DB_PORT that is not a port is refused by %s', async command => {
  const cwd = await emptyDirectory()
  await writeFile(join(cwd, '.env'), 'AGENTS_DB_PORT=any\n')
  expect(await runCli(command.split(' '), { cwd })).toEqual({
    code: 2,
    stdout: '',
    stderr: 'AGENTS_DB_PORT is "any". Give a whole number from 1 to 65535.\n',
  })
  expect(await readdir(cwd)).toEqual(['.env'])
})

describe('what cannot be undone', () => {
  test('needs --yes without a terminal', async () => {
    const cwd = await emptyDirectory()
    const question = `Delete all data of the local server in ${join(cwd, '.data')}?`
    expect(await runCli(['db', 'reset'], { cwd })).toEqual({
      code: 2,
      stdout: '',
      stderr: `${question} Without a terminal, pass --yes.\n`,
    })
    expect(await readdir(cwd)).toEqual([])
  })

  test.each(['n\n', '\n', 'yesterday\n', ''])('is not done on a terminal where %j is typed', async typed => {
    const cwd = await emptyDirectory()
    const { code, stdout, stderr } = await runCli(['db', 'reset', '--json'], { cwd, typed })
    expect({ code, document: JSON.parse(stdout) }).toEqual({
      code: 1,
      document: { error: { code: 'DECLINED', message: 'cancelled; nothing was changed' } },
    })
    expect(stderr).toContain('[y/N]')
    expect(await readdir(cwd)).toEqual([])
  })
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
  const cwd = await emptyDirectory()
  expect(await runCli(['db', 'url'], { cwd, env })).toEqual({
    code: 1,
    stdout: '',
    stderr: `the local PostgreSQL is not running; \`${self} db start\` starts it\n`,
  })
})

test('a run leaves nothing on the process', async () => {
  const listeners = () => process.eventNames().map(name => [name, process.listenerCount(name)])
  const before = listeners()
  await runCli(['db', 'reset'], { typed: 'n\n' })
  expect(listeners()).toEqual(before)
})
