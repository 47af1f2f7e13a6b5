import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters, styleText } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { withoutPassword } from '../../../src/cli/connect.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
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

  test('migrate --to stops after that migration', async () => {
    const { code, stdout } = await runCli(['migrate', '--to', 'secure_the_agent_tables'], { env })
    expect(code).toBe(0)
    expect(stdout.match(/^applied/gm)).toHaveLength(2)
    expect(await database.sql`select to_regclass('public.user_agents') is not null as there`).toEqual([
      { there: true },
    ])
  })

  test('start asks before it touches the database of DATABASE_URL', async () => {
    const { code, stderr } = await runCli(['start'], { env })
    const question = `DATABASE_URL is set. Migrate and seed ${withoutPassword(env.DATABASE_URL)}?`
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `${question} Without a terminal, pass --yes.\n`,
    })
    expect(await database.sql`select to_regclass('public.system_agents') as there`).toEqual([{ there: null }])
  })

  test('start migrates, seeds and shows the tables, the models and the agents', async () => {
    const { code, stdout } = await runCli(['start', '--yes'], { env })
    expect(code).toBe(0)
    for (const row of [
      /^table +rows$/m,
      /^llms +7$/m,
      /^memories +0$/m,
      /^profiles +0$/m,
      /^system_agents +3$/m,
      /^claude-sonnet-4-5 +anthropic +active$/m,
      /^TASK_EXECUTION +claude-sonnet-4-5 +active$/m,
    ]) {
      expect(stdout).toMatch(row)
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
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'nothing to migrate: 2 migrations already applied\n',
    })
    const later = after('secure_the_agent_tables').join(', ')
    expect(stderr).toBe(`later migrations stay applied: ${later}; \`agents-db rollback --to\` undoes them\n`)
  })

  test('status exits 0 once all is applied', async () => {
    expect((await runCli(['status'], { env })).code).toBe(0)
  })

  test('rollback undoes one migration, and --to everything after the named one', async () => {
    const one = await runCli(['rollback', '--json'], { env })
    expect(JSON.parse(one.stdout).undone).toHaveLength(1)
    expect(one.stderr).toMatch(/^undoing \d+_\w+\nundid \d+_\w+ \(\d+ ms\)\n$/)
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

test.each([
  [['migrate', '--to', 'nowhere'], /^no migration is called nowhere\. There are:/],
  [['rollback', '--to', 'nowhere'], /^no applied migration is called nowhere\. There are:/],
])('%j exits 2 and names the migrations there are, in the document too', async (args, message) => {
  expect(await runCli(args, { env })).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) })
  const { code, stdout } = await runCli([...args, '--json'], { env })
  expect({ code, document: JSON.parse(stdout) }).toEqual({
    code: 2,
    document: { error: { code: 'UNKNOWN_NAME', message: expect.stringMatching(message) } },
  })
})

test('a seed file with mistakes exits 1, names file and line, and writes nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'agents.yaml')
  await writeFile(
    file,
    'agents:\n  - agent_type: X\n    llm_model_code: nope\n    status: active\n    config: {}\n',
  )
  const before = await database.sql`select count(*)::int as n from public.system_agents`
  const { code, stderr } = await runCli(['seed', '--agents', 'agents.yaml'], { env, cwd: directory })
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${file}:3:21`) })
  expect(stderr).toContain('"X"')
  expect(stderr).toContain('claude-sonnet-4-5')
  expect(await database.sql`select count(*)::int as n from public.system_agents`).toEqual(before)
})

test('start says last, and by exit 4, that a database does not match its migrations', async () => {
  const drifted = await ownDatabase('today')
  await drifted.admin`drop policy anon_select_llms on public.llms`
  const { code, stdout, stderr } = await runCli(['start', '--yes'], {
    env: { DATABASE_URL: drifted.url },
  })
  expect(code).toBe(4)
  expect(stdout).toContain('policy anon_select_llms on table public.llms is missing')
  expect(stderr).toMatch(/The database does not match its migrations; see above\.\n$/)
})

test('on a terminal success is marked, and headings are bold', async () => {
  const { url } = await ownDatabase('today')
  const env = { DATABASE_URL: url }
  const check = await runCli(['check'], { env: { ...env, NO_COLOR: '1' }, typed: '' })
  expect(check.stdout).toMatch(/^✓ database matches /)
  const archive = await runCli(['archive'], { env, typed: '' })
  const heading = archive.stdout.split('\n')[1] ?? ''
  expect(stripVTControlCharacters(heading)).toMatch(/^table +rows +size$/)
  expect(heading).toBe(styleText('bold', stripVTControlCharacters(heading), { validateStream: false }))
})

test('a run closes its connections, after an error too', async () => {
  const { admin, url } = await ownDatabase('today')
  const open = async () => {
    const [row] = await admin`
      select count(*)::int as n from pg_stat_activity
       where datname = current_database() and application_name = 'agents-db'`
    return row?.n
  }
  for (const args of [['check'], ['rollback', '--to', 'nowhere']]) {
    await runCli(args, { env: { DATABASE_URL: url } })
    await eventually(open).toBe(0)
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
  expect(wrong).toMatchObject({
    code: 2,
    stderr: 'AGENTS_DB_PORT is "any". Give a whole number from 1 to 65535.\n',
  })
})
