import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters, styleText } from 'node:util'
import { describe, expect, test } from 'vitest'
import { withoutPassword } from '../../../src/database-url.ts'
import { cli, cliJson, runCli } from '../../support/cli.ts'
import { ownDatabase, sharedDatabase, signUp } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { occupy, serverDirectory } from '../../support/local.ts'
import { baseline, last, names, namesAfter } from '../../support/migrations.ts'
import { using } from '../../support/templates.ts'

const database = sharedDatabase('stub_old')

describe('on a fresh database', () => {
  test('status exits 3 and lists what is pending, writing nothing', async () => {
    const { code, document } = await cliJson(database.url, 'status')
    expect({ code, document }).toMatchObject({ code: 3, document: { applied: [], pending: names } })
    expect(await database.sql`select to_regnamespace('drizzle') as ledger`).toEqual([{ ledger: null }])
  })

  test('migrate --to stops after that migration', async () => {
    const { code, stdout } = await cli(database.url, 'migrate', '--to', baseline)
    expect(code).toBe(0)
    expect(stdout.match(/^applied \w+/gm)).toEqual(names.slice(0, 2).map(name => `applied ${name}`))
    const tables = await database.sql`
      select to_regclass('public.user_agents')::text as old, to_regclass('public.system_agents') as new`
    expect(tables).toEqual([{ old: 'user_agents', new: null }])
  })

  test('start asks before it touches the database of DATABASE_URL', async () => {
    const question = `DATABASE_URL is set. Migrate and seed ${withoutPassword(database.url)}?`
    expect(await cli(database.url, 'start')).toMatchObject({
      code: 2,
      stderr: `${question} Without a terminal, pass --yes.\n`,
    })
    expect(await database.sql`select to_regclass('public.system_agents') as there`).toEqual([{ there: null }])
  })

  test('start migrates, seeds and shows the tables, the models and the agents; again it changes nothing', async () => {
    const { code, stdout } = await cli(database.url, 'start', '--yes')
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

    const again = await cli(database.url, 'start', '--yes')
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to migrate') })
    expect(again.stdout).toContain('nothing to seed')
  })

  test('migrate --to a migration that others have followed says that they stay', async () => {
    const later = namesAfter(baseline).join(', ')
    expect(await cli(database.url, 'migrate', '--to', baseline)).toEqual({
      code: 0,
      stdout: 'nothing to migrate: 2 migrations already applied\n',
      stderr: `later migrations stay applied: ${later}; \`agents-db rollback --to\` undoes them\n`,
    })
    expect((await cli(database.url, 'status')).code).toBe(0)
  })

  test('rollback undoes one migration, and --to all after the named one, passing on what they say', async () => {
    const { document, stderr } = await cliJson(database.url, 'rollback')
    expect(document.undone).toMatchObject([{ name: last }])
    expect(stderr).toMatch(new RegExp(`^undoing ${last}\nundid ${last} \\(\\d+ ms\\)\n$`))

    await signUp(database.admin)
    const more = await cli(database.url, 'rollback', '--to', baseline)
    expect(more.code).toBe(0)
    const undone = namesAfter(baseline).slice(0, -1).reverse()
    expect(more.stdout.match(/^undid \w+/gm)).toEqual(undone.map(name => `undid ${name}`))
    expect(more.stderr).toContain('1 users who signed up since, given agents from the catalog')
    expect((await cli(database.url, 'migrate')).code).toBe(0)
  })
})

test.each([
  ['migrate', /^no migration is called nowhere\. There are:/],
  ['rollback', /^no applied migration is called nowhere\. There are:/],
])(
  '%s --to nowhere exits 2 and names the migrations there are, in the document too',
  async (command, message) => {
    const args = [database.url, command, '--to', 'nowhere'] as const
    expect(await cli(...args)).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) })
    expect(await cliJson(...args)).toMatchObject({
      code: 2,
      document: { error: { code: 'UNKNOWN_NAME', message: expect.stringMatching(message) } },
    })
  },
)

test('start says last, and by exit 4, that a database does not match its migrations', async () => {
  const { admin, url } = await ownDatabase('today')
  await admin`drop policy anon_select_llms on public.llms`
  const { code, stdout, stderr } = await cli(url, 'start', '--yes')
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
  const open = () => admin`
    select from pg_stat_activity where datname = current_database() and application_name = 'agents-db'`
  for (const args of [['check'], ['rollback', '--to', 'nowhere']]) {
    await cli(url, ...args)
    await eventually(open).toHaveLength(0)
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
})

test('a local server with the migrations of another checkout is to be reset, and is not touched', async () => {
  const cwd = dirname(await serverDirectory())
  expect((await runCli(['migrate'], { cwd })).code).toBe(0)
  const { stdout: url } = await runCli(['db', 'url'], { cwd })
  await using(
    url.trim(),
    sql => sql`update drizzle.__drizzle_migrations set name = '20251122164245_another' where id = 1`,
  )
  const { code, stderr } = await runCli(['migrate'], { cwd })
  expect(code).toBe(1)
  expect(stderr).toContain('20251122164245_another: applied, but its folder is gone.')
  expect(stderr).toMatch(/This is the local server: `agents-db db reset` empties it\.\n$/)
  expect((await runCli(['db', 'reset', '--yes'], { cwd })).code).toBe(0)
  expect((await runCli(['migrate'], { cwd })).code).toBe(0)
})
