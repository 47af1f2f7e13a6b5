import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { check, hasDrift, migrate, status } from '../../../src/migrate.ts'
import { cli } from '../../support/cli.ts'
import { hold, ledgerReader, ownClient } from '../../support/client.ts'
import { ownDatabase, sharedDatabase, undone } from '../../support/database.ts'
import { last } from '../../support/migrations.ts'
import { addCatalog, readRows } from '../../support/rows.ts'

const database = sharedDatabase('baseline', async ({ admin, db }) => {
  await addCatalog(admin)
  await migrate(db)
})

const catalogs =
  `pg_class pg_attribute pg_attrdef pg_proc pg_trigger pg_policy pg_constraint pg_index pg_namespace
                  pg_default_acl pg_type pg_depend pg_description`.split(/\s+/)

/** Every row, and the version of every row in the catalogs that a grant, a trigger, a policy or a setting would change. */
async function everything() {
  const { admin } = database
  const texts = async (query: string) => (await admin.unsafe(query)).map(row => JSON.stringify(row))
  const versions = await Promise.all(
    catalogs.map(catalog =>
      texts(`select to_jsonb(c)::text || xmin || ctid as version from pg_catalog.${catalog} c order by 1`),
    ),
  )
  return {
    versions,
    rows: await readRows(admin, ['public', 'auth', 'archive', 'drizzle']),
    sequences: await texts(`
      select schemaname, sequencename, last_value from pg_sequences where sequencename not like 'witness%' order by 1, 2`),
    settings: await texts('select setdatabase, setrole, setconfig from pg_db_role_setting order by 1, 2'),
    locks: await texts(`
      select objid from pg_locks where locktype = 'advisory'
         and database = (select oid from pg_database where datname = current_database())`),
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
  const { pending } = await db.transaction(tx => status(tx), { accessMode: 'read only' })
  expect(pending).toEqual([])
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
  const before = await everything()
  const report = await check(db)
  expect(report.probes.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(30)
  expect(report.differences).toEqual([])

  expect(await everything()).toEqual(before)
  expect(before.rows['drizzle.__drizzle_migrations']!.length).toBeGreaterThan(0)
  const [tried] = await admin`
    select (select last_value from public.witness_of_sign_ups)::int as sign_ups,
           (select last_value from public.witness_of_grants)::int   as grants`
  // Four tables, two clients.
  expect(tried).toEqual({ sign_ups: 10, grants: 8 })
  await admin.unsafe('drop event trigger witness; drop trigger witness on auth.users')

  // The control: what it looks at would show a grant that was taken back again.
  await admin`grant select on public.llms to anon`
  await admin`revoke select on public.llms from anon`
  expect((await everything()).versions).not.toEqual(before.versions)
})

test('both work for a role that may read the ledger and nothing else; what it may not try is said', async () => {
  const url = await ledgerReader(database)
  const client = ownClient(url)
  await expect(client`select from public.llms`).rejects.toMatchObject({ code: '42501' })
  const report = await check(drizzle({ client }))
  expect(report.differences).toEqual([])
  expect(hasDrift(report)).toBe(false)
  const tried = report.probes.filter(({ what }) => !/ cannot (truncate|reach|execute) /.test(what))
  expect(tried.length).toBeGreaterThan(0)
  for (const { outcome, why } of tried)
    expect({ outcome, why }).toEqual({ outcome: 'not tried', why: expect.stringMatching(/\S/) })

  expect(await cli(url, 'check')).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^database matches \S+; \d+ probes? passed\n/),
    stderr: expect.stringContaining('not tried: a sign-up with e-mail'),
  })
  expect(await cli(url, 'status')).toMatchObject({ code: 0, stdout: expect.stringContaining(last) })

  // It still finds what is wrong.
  await database.admin`grant select on public.memories to anon`
  const { differences } = await check(drizzle({ client }))
  expect(differences).toMatchObject([{ object: 'table public.memories', fact: 'grants to anon' }])
  await database.admin`revoke select on public.memories from anon`
})

test('check on a connection that writes nothing compares, and says that it tried nothing', async () => {
  const client = ownClient(database.url, { connection: { default_transaction_read_only: true } })
  const report = await check(drizzle({ client }))
  expect(report.differences).toEqual([])
  expect(hasDrift(report)).toBe(false)
  const what = 'a sign-up with e-mail'
  expect(report.probes).toContainEqual({ what, outcome: 'not tried', why: expect.stringContaining('25006') })
})

test('check reads under settings that would change what it reads, and does not wait for ever for a lock', async () => {
  const { admin, name, url } = await ownDatabase('today')
  await admin.unsafe(`
    alter database ${name} set standard_conforming_strings = off;
    alter database ${name} set quote_all_identifiers = on;`)
  const db = drizzle({ client: ownClient(url, { max: 2 }) })
  const report = await check(db)
  expect(hasDrift(report)).toBe(false)
  expect(report.probes.filter(({ what }) => what.includes('execute')).length).toBeGreaterThan(0)

  await hold(url, 'lock table public.llms')
  await expect(check(db)).rejects.toMatchObject({ cause: { code: '55P03' } })
})
