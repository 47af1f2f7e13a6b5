import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { check, hasDrift, migrate, status } from '../../../src/migrate.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { last } from '../../support/migrations.ts'
import { addCatalog, readRows } from '../../support/rows.ts'
import { connect } from '../../support/templates.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase('baseline')
  await addCatalog(database.admin)
  await migrate(database.db)
})
afterAll(() => database.drop())

/** Every row, and the version of every row in the catalogs that a grant, a trigger, a policy or a setting would change. */
async function everything({ admin }: TestDatabase) {
  const versions = await Promise.all(
    [
      'pg_class',
      'pg_attribute',
      'pg_attrdef',
      'pg_proc',
      'pg_trigger',
      'pg_policy',
      'pg_constraint',
      'pg_index',
      'pg_namespace',
      'pg_default_acl',
      'pg_type',
      'pg_depend',
      'pg_description',
    ].map(catalog =>
      admin.unsafe(
        `select to_jsonb(c)::text || xmin || ctid as version from pg_catalog.${catalog} c order by 1`,
      ),
    ),
  )
  return {
    versions: versions.map(rows => rows.map(({ version }) => version)),
    rows: await readRows(admin, ['public', 'auth', 'archive', 'drizzle']),
    sequences: [
      ...(await admin`
      select schemaname, sequencename, last_value from pg_sequences where sequencename not like 'witness%' order by 1, 2`),
    ],
    settings: [
      ...(await admin`select setdatabase, setrole, setconfig from pg_db_role_setting order by 1, 2`),
    ],
    locks: [
      ...(await admin`select objid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`),
    ],
  }
}

test('status takes no transaction id, and runs where nothing may be written', async () => {
  const { db } = database
  const taken = sql`select pg_current_xact_id_if_assigned() is not null as taken`
  await undone(db, async tx => {
    expect((await status(tx)).pending).toEqual([])
    expect(await tx.execute(taken)).toEqual([{ taken: false }])
    await tx.execute(sql`update public.llms set display_name = 'another'`)
    expect(await tx.execute(taken)).toEqual([{ taken: true }])
  })
  await db.transaction(
    async tx => {
      expect((await status(tx)).pending).toEqual([])
    },
    { accessMode: 'read only' },
  )
})

test('check tries sign-ups and grants, and leaves every row, every catalog and every sequence as they were', async () => {
  const { db, admin } = database
  // What a sequence gave is not taken back: it tells of what was undone.
  await admin.unsafe(`
    create sequence public.witness_of_sign_ups;
    create function public.witness() returns trigger language plpgsql security definer
      as 'begin perform nextval(''public.witness_of_sign_ups''); return new; end';
    create trigger witness after insert on auth.users for each row execute function public.witness();
    create sequence public.witness_of_grants;
    create function public.witness_grant() returns event_trigger language plpgsql security definer
      as 'begin perform nextval(''public.witness_of_grants''); end';
    create event trigger witness on ddl_command_end when tag in ('GRANT') execute function public.witness_grant()`)
  const before = await everything(database)
  const report = await check(db)
  expect(report.probes.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(30)
  expect(report.differences).toEqual([])

  expect(await everything(database)).toEqual(before)
  expect(before.rows['drizzle.__drizzle_migrations']!.length).toBeGreaterThan(0)
  expect(
    await admin`
    select (select last_value from public.witness_of_sign_ups)::int as sign_ups,
           (select last_value from public.witness_of_grants)::int   as grants`,
  ).toEqual([
    // Four tables, two clients.
    { sign_ups: 2, grants: 8 },
  ])
  await admin.unsafe('drop event trigger witness; drop trigger witness on auth.users')

  // The control: what it looks at would show a grant that was taken back again.
  await admin`grant select on public.llms to anon`
  await admin`revoke select on public.llms from anon`
  expect((await everything(database)).versions).not.toEqual(before.versions)
})

/** Who may read the ledger, and nothing else; and writes nothing even where it may. */
async function auditor(): Promise<string> {
  const { admin, name, url } = database
  const role = `${name}_auditor`
  await admin.unsafe(`
    create role ${role} login password 'auditor';
    alter role ${role} set default_transaction_read_only = on;
    grant usage on schema drizzle to ${role};
    grant select on drizzle.__drizzle_migrations to ${role}`)
  onTestFinished(async () => {
    await admin.unsafe(`drop owned by ${role}; drop role ${role}`)
  })
  const own = new URL(url)
  own.username = role
  own.password = 'auditor'
  return own.href
}

test('both work for a role that may read the ledger and nothing else; what it may not try is said', async () => {
  const url = await auditor()
  const client = connect(url, { max: 1 })
  try {
    await expect(client`select from public.llms`).rejects.toMatchObject({ code: '42501' })
    const report = await check(drizzle({ client }))
    expect(report.differences).toEqual([])
    expect(hasDrift(report)).toBe(false)
    const tried = report.probes.filter(({ what }) => !/ cannot (truncate|reach|execute) /.test(what))
    expect(new Set(tried.map(({ outcome }) => outcome))).toEqual(new Set(['not tried']))
    for (const { why } of tried) expect(why).toMatch(/\S/)
  } finally {
    await client.end()
  }

  const checked = await runCli(['check'], { env: { DATABASE_URL: url } })
  expect(checked).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^database matches \S+; \d+ probes? passed\n/),
  })
  expect(checked.stderr).toContain('not tried: a sign-up with e-mail')
  const { code, stdout } = await runCli(['status'], { env: { DATABASE_URL: url } })
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(last) })
})

test('and still find there what is wrong', async () => {
  const client = connect(await auditor(), { max: 1 })
  try {
    await database.admin`grant select on public.memories to anon`
    const { differences } = await check(drizzle({ client }))
    expect(differences).toMatchObject([{ object: 'table public.memories', fact: 'grants to anon' }])
  } finally {
    await client.end()
    await database.admin`revoke select on public.memories from anon`
  }
})

test('check on a connection that writes nothing compares, and says that it tried nothing', async () => {
  const client = connect(database.url, { max: 1, connection: { default_transaction_read_only: true } })
  try {
    const report = await check(drizzle({ client }))
    expect(report.differences).toEqual([])
    expect(hasDrift(report)).toBe(false)
    expect(report.probes).toContainEqual({
      what: 'a sign-up with e-mail',
      outcome: 'not tried',
      why: expect.stringContaining('25006'),
    })
  } finally {
    await client.end()
  }
})

test('check reads under settings that would change what it reads, and does not wait for ever for a lock', async () => {
  const database = await ownDatabase('today')
  await database.admin.unsafe(`
    alter database ${database.name} set standard_conforming_strings = off;
    alter database ${database.name} set quote_all_identifiers = on;`)
  const sql = connect(database.url, { max: 2 })
  onTestFinished(() => sql.end())
  const report = await check(drizzle({ client: sql }))
  expect(hasDrift(report)).toBe(false)
  expect(report.probes.filter(({ what }) => what.includes('execute')).length).toBeGreaterThan(0)

  await database.admin.begin(async tx => {
    await tx`lock table public.llms`
    await expect(check(drizzle({ client: sql }))).rejects.toMatchObject({ cause: { code: '55P03' } })
  })
})
