import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { adopt, check, migrate, rollback, status } from '../../../src/migrate.ts'
import { runCli } from '../../support/cli.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { ownDirectory } from '../../support/folder.ts'
import { names } from '../../support/migrations.ts'
import { run } from '../../support/process.ts'
import { root } from '../../support/root.ts'

const ours = { schema: 'agents_db', table: 'applied' }
const env = { AGENTS_DB_LEDGER: 'agents_db.applied' }

/** Another drizzle project has been here first. */
async function beside(from: string, version: 0 | 1) {
  const database = await ownDatabase(from)
  await database.admin.unsafe(`
    drop schema if exists drizzle cascade;
    create schema drizzle;
    create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
    insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 1);
    grant all on schema drizzle to public;
    grant all on all tables in schema drizzle to public`)
  if (version === 1) {
    await database.admin`
      alter table drizzle.__drizzle_migrations add name text default '20250101000000_their_tables',
                                               add applied_at timestamptz default now()`
  }
  return database
}

const theirs = ({ admin }: TestDatabase) => admin`select * from drizzle.__drizzle_migrations`
const recorded = async ({ admin }: TestDatabase) =>
  (await admin`select name from agents_db.applied order by id`).map(({ name }) => name)

test.each([0, 1] as const)(
  'beside a drizzle %i project, every command names the case, and touches nothing',
  async version => {
    const database = await beside('stub_old', version)
    const before = await theirs(database)
    for (const command of ['migrate', 'rollback', 'status', 'check', 'adopt', 'repair']) {
      if (version === 1 && command === 'repair') continue
      const { code, stdout, stderr } = await runCli(
        [command, '--yes'].slice(0, /adopt|repair/.test(command) ? 2 : 1),
        {
          env: { DATABASE_URL: database.url },
        },
      )
      expect(`${stdout}${stderr}`).toMatch(
        /another drizzle project .* --ledger schema\.table, or AGENTS_DB_LEDGER/,
      )
      expect(code).toBe(version === 1 && /status|check/.test(command) ? 4 : 1)
    }
    expect(await theirs(database)).toEqual(before)
  },
)

test.each([
  ['--ledger', { args: ['--ledger', 'agents_db.applied'], env: {} }],
  ['AGENTS_DB_LEDGER', { args: [], env }],
])(
  'with %s, every command works beside another project, and drizzle-kit agrees',
  async (_, { args, env: set }) => {
    const database = await beside('stub_old', 0)
    const before = await theirs(database)
    const cli = async (...command: string[]) => {
      const { code, stderr } = await runCli([...command, ...args], {
        env: { DATABASE_URL: database.url, ...set },
      })
      return [code, code === 0 ? '' : stderr]
    }
    expect(await cli('migrate')).toEqual([0, ''])
    expect(await recorded(database)).toEqual(names)
    for (const command of ['status', 'check', 'repair', 'archive', 'seed'])
      expect(await cli(command)).toEqual([0, ''])
    expect(await cli('rollback')).toEqual([0, ''])
    expect(await recorded(database)).toEqual(names.slice(0, -1))
    const kit = () =>
      run(join(root, 'node_modules/.bin/drizzle-kit'), ['migrate'], {
        cwd: root,
        env: { DATABASE_URL: `${database.url}?pgbouncer=true&schema=public`, ...env },
      })
    expect(await kit()).toMatchObject({ code: 0 })
    expect(await recorded(database)).toEqual(names)
    expect(await cli('check')).toEqual([0, ''])
    expect(await theirs(database)).toEqual(before)
  },
)

test('the library takes the ledger as an option; adopt moves a database to it', async () => {
  const database = await beside('baseline', 1)
  const { db } = database
  await expect(adopt(db)).rejects.toMatchObject({ code: 'OTHER_PROJECT' })
  expect((await adopt(db, { ledger: ours })).recorded).toEqual(names.slice(0, 2))
  expect((await migrate(db, { ledger: ours })).applied.map(({ name }) => name)).toEqual(names.slice(2))
  expect(await check(db, { ledger: ours })).toMatchObject({ pending: [], ledger: [], differences: [] })
  expect((await rollback(db, { ledger: ours })).undone).toHaveLength(1)
  expect(await status(db, { ledger: ours })).toMatchObject({ pending: names.slice(-1), unknown: [] })
  expect((await status(db)).applied).toEqual([])
})

test.each(['x', 'a.b.c', '.b', 'a.'])('--ledger %s is refused', async value => {
  for (const [args, set] of [
    [['--ledger', value], {}],
    [[], { AGENTS_DB_LEDGER: value }],
  ] as const) {
    const { code, stderr } = await runCli(['status', ...args], {
      cwd: await ownDirectory(),
      env: { DATABASE_URL: 'postgresql://me@127.0.0.1:1/db', ...set },
    })
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('Give a schema and a table, as schema.table.'),
    })
  }
})

test('drizzle.config.ts sets the ledger of the commands too', async () => {
  const database = await beside('stub_old', 0)
  const copy = await ownDirectory()
  await run('cp', ['-r', ...['src', 'drizzle', 'package.json'].map(path => join(root, path)), copy])
  await run('ln', ['-s', join(root, 'node_modules'), join(copy, 'node_modules')])
  const config = "export default { migrations: { schema: 'agents_db', table: 'applied' } }\n"
  await writeFile(join(copy, 'drizzle.config.ts'), config)
  const status = () =>
    run(join(root, 'node_modules/.bin/tsx'), ['src/cli/main.ts', 'status'], {
      cwd: copy,
      env: { DATABASE_URL: database.url },
    })
  expect(await status()).toMatchObject({ code: 3, stderr: '' })
  await writeFile(join(copy, 'drizzle.config.ts'), 'export default {}\n')
  expect(await status()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('another drizzle project'),
  })
})
