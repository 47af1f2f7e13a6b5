import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { withoutPassword } from '../../../src/cli/connect.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase } from '../../support/database.ts'
import { occupy, serverDirectory } from '../../support/local.ts'
import { after } from '../../support/migrations.ts'

let database: TestDatabase
let env: { DATABASE_URL: string }

beforeAll(async () => {
  database = await createDatabase('stub_old')
  env = { DATABASE_URL: database.url }
})
afterAll(() => database.drop())

describe('on a fresh database', () => {
  test('status exits 3 and lists what is pending, writing nothing', async () => {
    const { code, stdout } = await runCli(['status', '--json'], { env })
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({
      applied: [],
      pending: expect.arrayContaining([expect.any(String)]),
    })
    expect(await database.sql`select to_regnamespace('drizzle') as ledger`).toEqual([{ ledger: null }])
  })

  test('migrate --to stops where it is told', async () => {
    const { code, stdout } = await runCli(['migrate', '--to', 'secure_the_agent_tables'], { env })
    expect(code).toBe(0)
    expect(stdout.match(/^applied/gm)).toHaveLength(2)
    expect(await database.sql`select to_regclass('public.user_agents') is not null as there`).toEqual([
      { there: true },
    ])
  })

  test('start asks before it touches a database that DATABASE_URL names', async () => {
    const { code, stderr } = await runCli(['start'], { env })
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`Migrate and seed ${withoutPassword(env.DATABASE_URL)}?`),
    })
    expect(await database.sql`select to_regclass('public.system_agents') as there`).toEqual([{ there: null }])
  })

  test('start migrates, seeds and shows the tables, the models and the agents', async () => {
    const { code, stdout } = await runCli(['start', '--yes'], { env })
    expect(code).toBe(0)
    for (const word of [
      'llms',
      'memories',
      'profiles',
      'system_agents',
      'claude-sonnet-4-5',
      'TASK_EXECUTION',
    ]) {
      expect(stdout).toContain(word)
    }
    expect(stdout).not.toContain(`:${new URL(database.url).password}@`)
  })

  test('a second start changes nothing and says so', async () => {
    const { code, stdout } = await runCli(['start', '--yes'], { env })
    expect(code).toBe(0)
    expect(stdout).toContain('nothing to migrate')
    expect(stdout).toContain('nothing to seed')
  })

  test('migrate --to a migration that others have followed says that they stay', async () => {
    const { code, stdout, stderr } = await runCli(['migrate', '--to', 'secure_the_agent_tables'], { env })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'nothing to migrate: 2 migrations applied before\n' })
    const later = after('secure_the_agent_tables').join(', ')
    expect(stderr).toBe(`later ones stay applied: ${later}; \`rollback --to\` undoes them\n`)
  })

  test('status exits 0 once all is applied', async () => {
    expect((await runCli(['status'], { env })).code).toBe(0)
  })

  test('rollback undoes one migration, and --to everything after the named one', async () => {
    const one = await runCli(['rollback', '--json'], { env })
    expect(JSON.parse(one.stdout).undone).toHaveLength(1)
    const more = await runCli(['rollback', '--to', 'secure_the_agent_tables'], { env })
    expect(more.code).toBe(0)
    expect(more.stdout.match(/^undid/gm)?.length).toBeGreaterThan(1)
    expect((await runCli(['migrate'], { env })).code).toBe(0)
  })

  test('rollback passes on what a migration says', async () => {
    await database.admin`insert into auth.users (id, email) values (gen_random_uuid(), 'a@example.test')`
    const { stderr } = await runCli(['rollback', '--to', 'secure_the_agent_tables'], { env })
    expect(stderr).toContain('gave 1 users who signed up since 3 agents from the catalog')
    expect((await runCli(['migrate'], { env })).code).toBe(0)
  })
})

describe('with --json', () => {
  test('stdout holds one document, and messages go to stderr', async () => {
    const { stdout, stderr } = await runCli(['rollback', '--json'], { env })
    expect(JSON.parse(stdout)).toHaveProperty('undone')
    expect(stderr).toContain('undoing')
    expect((await runCli(['migrate'], { env })).code).toBe(0)
  })

  test('an error is a document too', async () => {
    const { code, stdout } = await runCli(['rollback', '--to', 'nowhere', '--json'], { env })
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'UNKNOWN_NAME' })
  })
})

describe('wrong input', () => {
  test.each([
    [['frobnicate'], 'there is no command frobnicate; --help lists them'],
    [['statsu'], 'there is no command statsu, did you mean "status"?; --help lists them'],
    [['constructor'], 'there is no command constructor'],
    [['migrate', '--tu', 'x'], '--tu'],
    [['migrate', 'everything'], 'unexpected everything'],
    [['db'], 'say one of start, stop, url, reset'],
    [['db', 'start', 'twice'], 'one word'],
    [['db', 'start', '--port', '70000'], '--port takes a port from 1 to 65535, not "70000"'],
    [['db', 'stop', '--port', '5000'], '--port goes with start and reset'],
    [['db', 'reset'], 'Throw away all data of the local server, in .data? Say so with --yes.'],
    [['archive', 'drop', '--yes', '--lock-timeout', 'soon'], '--lock-timeout takes a whole number'],
    [['migrate', '--retries=-1'], '--retries takes a whole number from 0 to 2147483647, not "-1"'],
    [
      ['migrate', '--retries', '-1'],
      '--retries needs a value; one that begins with a dash is written --retries=-…\nusage: ',
    ],
    [['migrate', '--to'], '--to needs a value; '],
    [['migrate', '--to', 'nowhere'], 'no migration is called nowhere. There are:'],
    [['rollback', '--to', 'nowhere'], 'no applied migration is called nowhere. There are:'],
  ])('%j exits 2 and says what is wrong', async (args, message) => {
    const { code, stderr } = await runCli(args, { env })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
  })

  test('a wrong option is refused before a local server is made for it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'agents-db-cli-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    for (const command of [['migrate', '--plan'], ['rollback']]) {
      const { code } = await runCli([...command, '--retries', 'many'], { cwd: directory })
      expect(code).toBe(2)
    }
    expect(await readdir(directory)).toEqual([])
  })

  test.each(['postgresql://me:7/hunter2@127.0.0.1/db', 'postgresql://me:7#hunter2@127.0.0.1/db'])(
    'a password that ends the URL too early is refused, and not shown: %s',
    async url => {
      const { code, stderr } = await runCli(['start'], { env: { DATABASE_URL: url } })
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('percent-encoded') })
      expect(stderr).not.toContain('hunter2')
    },
  )

  test('a DATABASE_URL that is no URL exits 2', async () => {
    const { code, stderr } = await runCli(['status'], { env: { DATABASE_URL: 'localhost' } })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('postgresql://') })
  })

  test('a host that does not exist is named, the password is not', async () => {
    const { code, stderr } = await runCli(['status'], {
      env: { DATABASE_URL: 'postgresql://me:hunter2@nowhere.invalid/db' },
    })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/nowhere\.invalid: there is no such host/),
    })
    expect(stderr).not.toContain('hunter2')
  })

  test('a server that does not answer is named, its password is not', async () => {
    for (const command of ['status', 'start']) {
      const { code, stderr } = await runCli([command], {
        env: { DATABASE_URL: 'postgresql://me:hunter2@127.0.0.1:1/db' },
      })
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^no PostgreSQL answers at 127\.0\.0\.1:1 /),
      })
      expect(stderr).not.toContain('hunter2')
    }
  })

  test('a seed file with mistakes exits 1, names file and line, and writes nothing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'agents-db-cli-'))
    try {
      const file = join(directory, 'agents.yaml')
      await writeFile(
        file,
        'agents:\n  - agent_type: X\n    llm_model_code: nope\n    status: active\n    config: {}\n',
      )
      const before = await database.sql`select count(*)::int as n from public.system_agents`
      const { code, stderr } = await runCli(['seed', '--agents', file], { env })
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${file}:3:21`) })
      expect(stderr).toContain('"X"')
      expect(stderr).toContain('claude-sonnet-4-5')
      expect(await database.sql`select count(*)::int as n from public.system_agents`).toEqual(before)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

test('start says last, and by exit 4, that a database is not what its migrations say', async () => {
  const drifted = await ownDatabase('today')
  await drifted.admin`drop policy anon_select_llms on public.llms`
  const { code, stdout, stderr } = await runCli(['start', '--yes'], {
    env: { DATABASE_URL: drifted.url },
  })
  expect(code).toBe(4)
  expect(stdout).toContain('policy anon_select_llms on table public.llms is missing')
  expect(stderr).toMatch(/not what its migrations say: see above\.\n$/)
})

test('a hint calls a command as the user did: by the name of the bin, or as a script of this package', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-cli-'))
  const script = { npm_lifecycle_event: 'db', npm_package_name: '@agents/db' }
  try {
    for (const [env, hint] of [
      [{}, '`agents-db db start`'],
      [{ ...script, npm_package_name: 'their-app' }, '`agents-db db start`'],
      [script, '`pnpm db start`'],
    ] as const) {
      const { code, stderr } = await runCli(['db', 'url'], { cwd: directory, env })
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(hint) })
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a .env file says which database', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-cli-'))
  try {
    await writeFile(join(directory, '.env'), `DATABASE_URL=${database.url}\n`)
    expect((await runCli(['status'], { cwd: directory })).code).toBe(0)
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('db start takes its port from --port or from AGENTS_DB_PORT, which .env may set', async () => {
  const cwd = dirname(await serverDirectory())
  const [one, other] = [await occupy(), await occupy()]
  await Promise.all([one.release(), other.release()])
  await writeFile(join(cwd, '.env'), `AGENTS_DB_PORT=${one.port}\n`)
  const start = async (...args: string[]) => {
    const { stdout } = await runCli(['db', 'start', '--json', ...args], { cwd })
    expect((await runCli(['db', 'stop'], { cwd })).code).toBe(0)
    return JSON.parse(stdout)
  }
  expect(await start()).toMatchObject({ port: one.port, started: true })
  expect(await start('--port', String(other.port))).toMatchObject({ port: other.port, started: true })

  const wrong = await runCli(['db', 'start'], { cwd, env: { AGENTS_DB_PORT: 'any' } })
  expect(wrong).toMatchObject({ code: 2, stderr: 'AGENTS_DB_PORT takes a port from 1 to 65535, not "any"\n' })
})

test('--help lists every command and every option', async () => {
  const { code, stdout } = await runCli(['--help'])
  expect(code).toBe(0)
  for (const command of ['start', 'migrate', 'rollback', 'seed', 'status', 'check', 'adopt', 'db'])
    expect(stdout).toContain(`  ${command}`)
  const seed = await runCli(['seed', '--help'])
  for (const option of ['--llms', '--agents', '--dry-run', '--prune', '--json'])
    expect(seed.stdout).toContain(option)
})
