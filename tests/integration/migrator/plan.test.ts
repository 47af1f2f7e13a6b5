import { sql as raw } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { measureLocks } from '../../../src/catalog/measure-locks.ts'
import { MigrationError, planMigration } from '../../../src/migrate.ts'
import { readMigrations } from '../../../src/migrator/files.ts'
import { type Locks, readLocks } from '../../../src/migrator/locks.ts'
import { packagedMigrations } from '../../../src/platform/folder.ts'
import { project } from '../../../src/platform/project.ts'
import { runCli } from '../../support/cli.ts'
import { ownDatabase } from '../../support/database.ts'
import { folderOf } from '../../support/folder.ts'
import { names, namesAfter } from '../../support/migrations.ts'
import { fill } from '../../support/rows.ts'
import { connect } from '../../support/templates.ts'

describe('locks.json', () => {
  /** Every lock but a reader's: those of GRANT came with PostgreSQL 18. */
  const lines = (locks: Locks) =>
    Object.entries(locks).flatMap(([file, { taken }]) =>
      Object.entries(taken).flatMap(([statement, tables]) =>
        Object.entries(tables).flatMap(([table, mode]) =>
          mode === 'access share' ? [] : [`${file} ${statement}: ${mode} on ${table}`],
        ),
      ),
    )

  test('says of every statement of every migration which locks it takes, as PostgreSQL shows them', async () => {
    const { db, admin } = await ownDatabase('stub_old')
    for (const name of names) {
      const measured = await measureLocks(db, project(), name)
      expect({ name, locks: lines(measured) }).toEqual({
        name,
        locks: lines(readLocks(packagedMigrations(), name)),
      })
      if (name.endsWith('secure_the_agent_tables')) await fill(admin, { users: 20, memories: 60 })
    }
    expect(lines(readLocks(packagedMigrations(), names[0]!))).toEqual([
      'migration.sql 14: share row exclusive on auth.users',
    ])
  })

  test('is right about what a reader of SQL gets wrong', async () => {
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
    const name = '20260101000000_change_things'
    const text = cases.map(([statement]) => statement).join('\n--> statement-breakpoint\n')
    const folder = await folderOf({ [name]: { 'migration.sql': text } })
    const { 'migration.sql': measured } = await measureLocks(drizzle({ client: admin }), { folder }, name)
    expect(cases.map(([statement], i) => [statement, measured?.taken[i + 1]?.['public.shop']])).toEqual(cases)
  })
})

describe('the plan', () => {
  test('has every pending statement, with its line, and each lock with the rows of its table as last analysed', async () => {
    const database = await ownDatabase('baseline')
    await database.admin`alter table public.memories set (autovacuum_enabled = false)`
    await fill(database.admin, { users: 100, memories: 1000 })
    const lockOn = async (table: string) => {
      const plan = await planMigration(database.db, { to: 'archive_what_users_own' })
      expect(plan.map(({ name }) => name)).toEqual(namesAfter('secure_the_agent_tables').slice(0, 2))
      const { file, statements } = plan[1]!.scripts[0]!
      expect(file).toBe('online.sql')
      expect(statements[1]!.sql).toContain('insert into archive.memory_agents')
      return statements[1]!.locks!.find(lock => lock.table === table)
    }
    expect(await lockOn('public.memories')).toEqual({
      mode: 'row share',
      table: 'public.memories',
      rows: null,
    })
    await database.admin`analyze public.memories`
    expect(await lockOn('public.memories')).toMatchObject({ rows: 1000 })
    // It is made on the way.
    expect(await lockOn('archive.memory_agents')).toMatchObject({ mode: 'row exclusive', rows: null })
  })

  test('says so where locks were not measured', async () => {
    const { db } = await ownDatabase('stub_old')
    const name = '20260101000000_change_things'
    const migration = { 'migration.sql': 'select 1;\n--> statement-breakpoint\nselect 2;' }
    const locks = (statements: number) => JSON.stringify({ 'migration.sql': { statements, taken: {} } })
    const plan = async (folder: string) =>
      (await planMigration(db, { folder }))[0]!.scripts[0]!.statements.map(statement => statement.locks)
    expect(await plan(await folderOf({ [name]: migration }))).toEqual([null, null])
    // The script was edited since.
    expect(await plan(await folderOf({ [name]: { ...migration, 'locks.json': locks(1) } }))).toEqual([
      null,
      null,
    ])
    expect(await plan(await folderOf({ [name]: { ...migration, 'locks.json': locks(2) } }))).toEqual([[], []])
  })

  test.for(['stub_old', 'baseline', 'today'])(
    'writes nothing to %s, and needs no transaction id',
    async template => {
      const database = await ownDatabase(template)
      await database.db.transaction(async tx => {
        await planMigration(tx)
        expect(await tx.execute(raw`select pg_current_xact_id_if_assigned() as id`)).toEqual([{ id: null }])
      })
      await database.db.transaction(tx => planMigration(tx), { accessMode: 'read only' })
    },
  )

  test('can be made by a role that may read the ledger and no other table', async () => {
    const database = await ownDatabase('baseline')
    const { admin, name } = database
    const role = `${name}_reader`
    await admin.unsafe(`
      create role ${role} login password 'reader';
      alter role ${role} set default_transaction_read_only = on;
      grant usage on schema drizzle to ${role};
      grant select on drizzle.__drizzle_migrations to ${role};`)
    onTestFinished(async () => {
      await admin.unsafe(`drop owned by ${role}; drop role ${role}`)
    })
    const url = new URL(database.url)
    url.username = role
    url.password = 'reader'
    const reader = connect(url.href)
    onTestFinished(() => reader.end())
    await expect(reader`select from public.llms`).rejects.toMatchObject({ code: '42501' })
    expect(await planMigration(drizzle({ client: reader }))).toEqual(await planMigration(database.db))
  })

  test('refuses what migrate would refuse', async () => {
    const database = await ownDatabase('today')
    await database.sql`update drizzle.__drizzle_migrations set hash = 'other' where id = 1`
    await expect(planMigration(database.db)).rejects.toMatchObject({ code: 'EDITED' })
    await expect(planMigration(database.db, { to: 'nowhere' })).rejects.toThrow(MigrationError)
    const folder = await folderOf({ '29990101000000_commit': { 'migration.sql': 'select 1; commit' } })
    await database.sql`delete from drizzle.__drizzle_migrations`
    await expect(planMigration(database.db, { folder })).rejects.toMatchObject({
      code: 'TRANSACTION_CONTROL',
    })
  })
})

describe('migrate --plan', () => {
  test('prints each statement below the locks it takes, and makes nothing', async () => {
    const database = await ownDatabase('stub_old')
    const env = { DATABASE_URL: database.url }
    const { code, stdout } = await runCli(['migrate', '--plan'], { env })
    expect(code).toBe(0)
    for (const { name, up, upOnline } of readMigrations(packagedMigrations())) {
      expect(stdout).toContain(`-- ${name}/migration.sql\n`)
      for (const { sql } of [...up.statements, ...(upOnline?.statements ?? [])]) expect(stdout).toContain(sql)
    }
    expect(stdout).toMatch(
      /^-- statement \d+ of \d+, line \d+: access exclusive on public\.memories, public\.user_agents\n(--.*\n|\n)*ALTER TABLE "memories" DROP CONSTRAINT "fk_memories_agent_id";/m,
    )
    expect(await database.sql`select to_regnamespace('drizzle') as ledger`).toEqual([{ ledger: null }])

    const { stdout: json } = await runCli(
      ['migrate', '--plan', '--to', 'secure_the_agent_tables', '--json'],
      { env },
    )
    expect(JSON.parse(json).plan).toHaveLength(2)
  })

  test('says that there is nothing to migrate', async () => {
    const database = await ownDatabase('today')
    const result = await runCli(['migrate', '--plan'], { env: { DATABASE_URL: database.url } })
    expect(result).toMatchObject({ code: 0, stdout: 'nothing to migrate\n' })
  })
})
