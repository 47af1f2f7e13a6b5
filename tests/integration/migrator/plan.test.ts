import { sql as raw } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { measureLocks } from '../../../scripts/measure-locks.ts'
import { MigrationError, packagedMigrations, planMigration } from '../../../src/migrate.ts'
import { readMigrations } from '../../../src/migrator/files.ts'
import { type Locks, readMeasuredLocks } from '../../../src/migrator/measured-locks.ts'
import { project } from '../../../src/platform/project.ts'
import { cli, cliJson } from '../../support/cli.ts'
import { ledgerReader, ownClient } from '../../support/client.ts'
import { ownDatabase } from '../../support/database.ts'
import { folderOf } from '../../support/folder.ts'
import { baseline, named, names, namesAfter } from '../../support/migrations.ts'
import { fill } from '../../support/rows.ts'

const name = '20260101000000_change_things'

/** Every lock but a reader's: those of GRANT came with PostgreSQL 18. */
const lines = (locks: Locks) =>
  Object.entries(locks).flatMap(([file, { taken }]) =>
    Object.entries(taken).flatMap(([statement, tables]) =>
      Object.entries(tables)
        .filter(([, mode]) => mode !== 'access share')
        .map(([table, mode]) => `${file} ${statement}: ${mode} on ${table}`),
    ),
  )

test('locks.json says of every statement of every migration which locks it takes, as PostgreSQL shows them', async () => {
  const { db, admin } = await ownDatabase('stub_old')
  for (const name of names) {
    const measured = lines(await measureLocks(db, project(), name))
    expect({ name, locks: measured }).toEqual({
      name,
      locks: lines(readMeasuredLocks(packagedMigrations(), name)),
    })
    if (name === named(baseline)) await fill(admin, { users: 20, memories: 60 })
  }
  expect(lines(readMeasuredLocks(packagedMigrations(), names[0]!))).toEqual([
    'migration.sql 14: share row exclusive on auth.users',
  ])
})

test('measured locks are right about what a reader of SQL gets wrong', async () => {
  const { admin, sql } = await ownDatabase('stub_old')
  await sql.unsafe(`
    create table public.shop (id int, code text);
    create function public.codes() returns bigint language sql as 'select count(*) from public.shop';
    create function public.later() returns void language plpgsql as $$ begin execute 'lock table public.shop'; end $$`)
  const cases: [statement: string, lock: string | undefined][] = [
    [`select public.codes()`, 'access share'],
    [`copy public.shop from '/dev/null'`, 'row exclusive'],
    [`create statistics public.related on id, code from public.shop`, 'share update exclusive'],
    [`create index on public.shop (id)`, 'share'],
    [`select 'drop table public.shop'`, undefined],
    [`select public.later()`, 'access exclusive'],
    // It is held already.
    [`alter table public.shop rename to store`, undefined],
  ]
  const text = cases.map(([statement]) => statement).join('\n--> statement-breakpoint\n')
  const folder = await folderOf({ [name]: { 'migration.sql': text } })
  const { 'migration.sql': measured } = await measureLocks(drizzle({ client: admin }), { folder }, name)
  expect(cases.map(([statement], i) => [statement, measured?.taken[i + 1]?.['public.shop']])).toEqual(cases)
})

test('a plan has every pending statement, and each lock with the rows of its table as last analysed', async () => {
  const { db, admin } = await ownDatabase('baseline')
  await admin`alter table public.memories set (autovacuum_enabled = false)`
  await fill(admin, { users: 100, memories: 1000 })
  const lockOn = async (table: string) => {
    const { migrations } = await planMigration(db, { to: 'add_agent_prompts' })
    expect(migrations.map(({ name }) => name)).toEqual(namesAfter(baseline).slice(0, 3))
    const { file, statements } = migrations[1]!.scripts[0]!
    expect(file).toBe('online.sql')
    expect(statements[1]!.sql).toContain('archive.copy_memory_agents($1, $2)')
    return statements[1]!.locks!.find(lock => lock.table === table)
  }
  const lock = { mode: 'row share', table: 'public.memories' }
  expect(await lockOn('public.memories')).toEqual({ ...lock, rows: null })
  await admin`analyze public.memories`
  expect(await lockOn('public.memories')).toEqual({ ...lock, rows: 1000 })
  // It is made on the way.
  expect(await lockOn('archive.memory_agents')).toMatchObject({ mode: 'row exclusive', rows: null })
})

test('a plan says so where locks were not measured, or the script was edited since', async () => {
  const { db } = await ownDatabase('stub_old')
  const migration = { 'migration.sql': 'select 1;\n--> statement-breakpoint\nselect 2;' }
  const planned = async (files: Record<string, string> = {}) => {
    const folder = await folderOf({ [name]: { ...migration, ...files } })
    return (await planMigration(db, { folder })).migrations[0]!.scripts[0]!.statements.map(
      statement => statement.locks,
    )
  }
  const locks = (statements: number) => JSON.stringify({ 'migration.sql': { statements, taken: {} } })
  expect(await planned()).toEqual([null, null])
  expect(await planned({ 'locks.json': locks(1) })).toEqual([null, null])
  expect(await planned({ 'locks.json': locks(2) })).toEqual([[], []])
})

test.for(['stub_old', 'baseline', 'today'])(
  'to plan writes nothing to %s, and needs no transaction id',
  async template => {
    const { db } = await ownDatabase(template)
    await db.transaction(async tx => {
      await planMigration(tx)
      expect(await tx.execute(raw`select pg_current_xact_id_if_assigned() as id`)).toEqual([{ id: null }])
    })
    await db.transaction(tx => planMigration(tx), { accessMode: 'read only' })
  },
)

test('a role may plan that may read the ledger and no other table', async () => {
  const database = await ownDatabase('baseline')
  const reader = ownClient(await ledgerReader(database), { max: 4 })
  await expect(reader`select from public.llms`).rejects.toMatchObject({ code: '42501' })
  expect(await planMigration(drizzle({ client: reader }))).toEqual(await planMigration(database.db))
})

test('a plan refuses what migrate would refuse', async () => {
  const { db, sql } = await ownDatabase('today')
  await sql`update drizzle.__drizzle_migrations set hash = 'other' where id = 1`
  await expect(planMigration(db)).rejects.toMatchObject({ code: 'EDITED' })
  await expect(planMigration(db, { to: 'nowhere' })).rejects.toThrow(MigrationError)
  const folder = await folderOf({ '29990101000000_commit': { 'migration.sql': 'select 1; commit' } })
  await sql`delete from drizzle.__drizzle_migrations`
  await expect(planMigration(db, { folder })).rejects.toMatchObject({ code: 'TRANSACTION_CONTROL' })
})

test('migrate --plan prints each statement below the locks it takes, and makes nothing', async () => {
  const { sql, url } = await ownDatabase('stub_old')
  const { code, stdout } = await cli(url, 'migrate', '--plan')
  expect(code).toBe(0)
  for (const { name, up, upOnline } of readMigrations(packagedMigrations())) {
    expect(stdout).toContain(`-- ${name}/migration.sql\n`)
    for (const { sql } of [...up.statements, ...(upOnline?.statements ?? [])]) expect(stdout).toContain(sql)
  }
  expect(stdout).toMatch(
    /^-- statement \d+ of \d+, line \d+: access exclusive on public\.memories, public\.user_agents\n(--.*\n|\n)*ALTER TABLE "public"\."memories" DROP CONSTRAINT "fk_memories_agent_id";/m,
  )
  expect(await sql`select to_regnamespace('drizzle') as ledger`).toEqual([{ ledger: null }])
  const { document } = await cliJson(url, 'migrate', '--plan', '--to', baseline)
  expect(document.plan).toHaveLength(2)
})

test('migrate --plan says that there is nothing to migrate', async () => {
  const result = await cli((await ownDatabase('today')).url, 'migrate', '--plan')
  expect(result).toMatchObject({ code: 0, stdout: 'nothing to migrate\n' })
})
