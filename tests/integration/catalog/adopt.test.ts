import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { adopt, check, dropArchive, hasDrift, migrate, rollback, status } from '../../../src/migrate.ts'
import { defaultSeedFiles, seed } from '../../../src/seed.ts'
import { readCatalog, stateOf } from '../../support/catalog.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { baseline, last, named, names, namesAfter } from '../../support/migrations.ts'
import { addAgentOfNewType, fill, ledgerNames, placeOfLedger, readRows } from '../../support/rows.ts'

const atBaseline = named(baseline)
const everything = ['public', 'auth', 'archive', 'billing']

/** The version of every row that PostgreSQL keeps of our objects and of those around them, and where each table lies. */
async function versions({ admin }: TestDatabase): Promise<string[]> {
  const rows = await admin`
    with relations as (
      select c.*, c.xmin as version from pg_class c
       where relnamespace::regnamespace::text in ('public', 'auth', 'billing')
    )
    select concat('relation ', oid::regclass, ' ', version, ' ', relfilenode) as is from relations
    union all
    select concat('column ', attrelid::regclass, ' ', attname, ' ', xmin) from pg_attribute
     where attrelid in (select oid from relations)
    union all
    select concat('constraint ', conname, ' ', xmin) from pg_constraint where conrelid in (select oid from relations)
    union all
    select concat('trigger ', tgname, ' ', xmin) from pg_trigger where tgrelid in (select oid from relations)
    union all
    select concat('policy ', polname, ' ', xmin) from pg_policy
    union all
    select concat('function ', proname, ' ', xmin) from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select concat('schema ', nspname, ' ', xmin) from pg_namespace where nspname <> 'drizzle'
     order by 1`
  return rows.map(row => row.is)
}

/** The ledger, but for the clock's part. */
const entries = async ({ admin }: TestDatabase) => [
  ...(await admin`select id, hash, created_at, name from drizzle.__drizzle_migrations order by id`),
]

test('a database that another tool built is recorded at the baseline, and nothing of it is touched', async () => {
  const at = await ownDatabase('built')
  await fill(at.admin, { users: 300, memories: 900 })
  const state = async () => ({ ...(await stateOf(at, everything)), versions: await versions(at) })
  const before = await state()
  const [open] = await at.sql`select has_table_privilege('anon', 'public.user_agents', 'truncate') as anon`
  expect(open).toEqual({ anon: true })

  const plan = await adopt(at.db, { dryRun: true })
  expect(await at.sql`select to_regnamespace('drizzle') as there`).toEqual([{ there: null }])
  const report = await adopt(at.db)
  expect(report).toEqual(plan)
  expect(report).toMatchObject({ at: atBaseline, recorded: names.slice(0, 2) })
  expect(await state()).toEqual(before)

  // The ledger is the one that migrating writes.
  expect(await entries(at)).toEqual(await entries(await ownDatabase('baseline')))
  expect(await adopt(at.db)).toEqual({ at: atBaseline, recorded: [], replaced: [], accepted: [] })
  expect(await entries(at)).toHaveLength(2)
})

test('what a later migration sets anew may differ, and is listed with that migration', async () => {
  const at = await ownDatabase('built')
  const { replaced } = await adopt(at.db, { dryRun: true })
  expect(new Set(replaced.map(({ by }) => by))).toEqual(new Set([named('serve_both_applications')]))
  const tables = (await readCatalog(at.admin)).flatMap(
    line => /^(table public\.\w+): column updated_at/.exec(line)?.[1] ?? [],
  )
  expect(tables).toHaveLength(5)
  const signUps = 'function public.create_profile_for_new_user()'
  const clients = ['anon', 'authenticated']
  expect(replaced.map(({ difference: { object, fact } }) => `${object}: ${fact}`).sort()).toEqual(
    [
      ...[...clients, 'service_role'].flatMap(role => tables.map(table => `${table}: grants to ${role}`)),
      ...[...clients, 'public', 'service_role'].map(role => `${signUps}: grants to ${role}`),
      `${signUps}: body`,
      `${signUps}: configuration`,
    ].sort(),
  )
  for (const { difference } of replaced) expect(difference.message).not.toBe('')
})

test('an adopted database goes up, is as it should be there, and comes back byte for byte', async () => {
  const at = await ownDatabase('built')
  await fill(at.admin, { users: 300, memories: 900 })
  const before = await readRows(at.admin, everything)
  await adopt(at.db)
  const { probes } = await migrate(at.db)
  expect(probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([
    {
      what: 'a sign-up with a long username',
      outcome: 'not tried',
      why: expect.stringMatching(/^index row requires 10256 bytes/), // In their own index.
    },
  ])
  expect(hasDrift(await check(at.db))).toBe(false)

  await rollback(at.db, { to: baseline })
  expect(await readRows(at.admin, everything)).toEqual(before)
  expect(hasDrift(await check(at.db))).toBe(false)

  await migrate(at.db)
  await seed(at.db, defaultSeedFiles())
  await signUp(at.admin)
  const seeded = await check(at.db)
  expect(seeded).toMatchObject({ at: last, pending: [], ledger: [] })
  expect(hasDrift(seeded)).toBe(false)
})

test('an empty database has nothing to adopt, and the error says so', async () => {
  const at = await ownDatabase('stub_old')
  await expect(adopt(at.db)).rejects.toMatchObject({
    code: 'NOT_ADOPTABLE',
    message: expect.stringContaining('this database has none of the tables: `migrate` creates them'),
  })
  expect(await placeOfLedger(at.db)).toEqual([{ schema: null, ledger: null }])
})

test.for([
  ['baseline', baseline],
  // What comes between these only moves rows, which no catalog tells, and can be run again.
  ['expanded', 'serve_both_applications'],
  ['contracted', 'rename_catalog_and_drop_user_agents'],
  ['today', last.slice('YYYYMMDDHHMMSS_'.length)],
])('the %s state whose ledger was lost is adopted at %s', async ([state, title]) => {
  const expanded = state === 'expanded'
  const at = await ownDatabase(expanded ? 'baseline of 20 users and 60 memories' : state)
  if (expanded) await migrate(at.db, { to: 'add_agent_prompts' })
  const before = await readRows(at.admin, everything)
  const ledger = await entries(at)
  await at.admin`drop schema drizzle cascade`

  const { at: found, recorded, replaced } = await adopt(at.db)
  expect({ found, replaced }).toEqual({ found: named(title!), replaced: [] })
  expect(await entries(at)).toEqual(ledger.slice(0, recorded.length))
  expect(await readRows(at.admin, everything)).toEqual(before)

  if (expanded) {
    await migrate(at.db, { to: 'add_agent_prompts' })
    expect(await readRows(at.admin, everything)).toEqual(before)
  }
  await migrate(at.db)
  expect(hasDrift(await check(at.db))).toBe(false)
})

test('an archive that was dropped, or kept after a rollback, does not stand in the way', async () => {
  const dropped = await ownDatabase('today')
  await dropArchive(dropped.db)
  await dropped.admin`drop schema drizzle cascade`
  expect(await adopt(dropped.db)).toMatchObject({ at: last, replaced: [] })

  const kept = await ownDatabase('today')
  await addAgentOfNewType(kept.admin)
  await rollback(kept.db, { to: baseline })
  await kept.admin`drop schema drizzle cascade`
  expect(await kept.admin`select agent_type from archive.system_agents`).toEqual([{ agent_type: 'PLANNING' }])
  expect(await adopt(kept.db)).toMatchObject({ at: atBaseline, replaced: [] })
  await migrate(kept.db)
  expect(hasDrift(await check(kept.db))).toBe(false)
})

test('four at once all succeed, and each migration is recorded once', async () => {
  const at = await ownDatabase('built')
  const reports = await Promise.all(Array.from({ length: 4 }, () => adopt(at.db)))
  expect(reports.map(({ recorded }) => recorded.length).sort()).toEqual([0, 0, 0, 2])
  for (const report of reports) expect(report.at).toBe(atBaseline)
  expect(await ledgerNames(at)).toEqual(names.slice(0, 2))
})

test('while another migrator is at work it waits for its turn, and then sees what that one recorded', async () => {
  const at = await ownDatabase('built')
  let asked = 0
  const logQuery = (query: string) => {
    if (query.includes('pg_try_advisory_xact_lock')) asked += 1
  }
  const second = drizzle({ client: at.sql, logger: { logQuery } })
  const { adopting } = await at.db.transaction(async tx => {
    expect((await adopt(tx)).recorded).toHaveLength(2)
    const adopting = adopt(second)
    await eventually(() => asked).toBeGreaterThan(2)
    return { adopting }
  })
  expect(await adopting).toEqual({ at: atBaseline, recorded: [], replaced: [], accepted: [] })
  expect(await ledgerNames(at)).toEqual(names.slice(0, 2))
})

test('beside a migrate both succeed', async () => {
  const at = await ownDatabase('contracted')
  const [migrated, adopted] = await Promise.all([migrate(at.db), adopt(at.db)])
  expect(migrated.applied.map(({ name }) => name)).toEqual(namesAfter('rename_catalog_and_drop_user_agents'))
  expect(adopted).toMatchObject({ recorded: [], replaced: [], accepted: [] })
  expect(await status(at.db)).toMatchObject({ applied: { length: names.length }, pending: [] })
})
