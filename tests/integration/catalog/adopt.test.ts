import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { adopt, check, dropArchive, hasDrift, migrate, rollback, status } from '../../../src/migrate.ts'
import { defaultSeedFiles, seed } from '../../../src/seed.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { after, last, names } from '../../support/migrations.ts'
import { fill, placeOfLedger, readLedger, readRows } from '../../support/rows.ts'

const baseline = expect.stringMatching(/_secure_the_agent_tables$/)
const expand = expect.stringMatching(/_serve_both_applications$/)
const everything = ['public', 'auth', 'archive', 'billing']

/** The version of every row that PostgreSQL keeps of our objects and of those around them, and where each table lies. */
async function versions({ admin }: { admin: postgres.Sql }): Promise<string[]> {
  const rows = await admin`
    with relations as (
      select c.*, c.xmin as version
        from pg_class c
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

test('a database that other means built is recorded at the baseline, and nothing of it is touched', async () => {
  const at = await ownDatabase('built')
  await fill(at.admin, { users: 300, memories: 900 })
  const state = async () => ({
    catalog: await readCatalog(at.admin),
    rows: await readRows(at.admin, everything),
    versions: await versions(at),
  })
  const before = await state()
  const [open] = await at.sql`select has_table_privilege('anon', 'public.user_agents', 'truncate') as anon`
  expect(open).toEqual({ anon: true })

  const plan = await adopt(at.db, { dryRun: true })
  expect(await at.sql`select to_regnamespace('drizzle') as there`).toEqual([{ there: null }])
  const report = await adopt(at.db)
  expect(report).toEqual(plan)
  expect(report).toMatchObject({ at: baseline, recorded: [expect.stringMatching(/_create_the/), baseline] })
  expect(await state()).toEqual(before)

  // The ledger is the one that migrating writes.
  const entries = (database: TestDatabase) =>
    database.admin`select id, hash, created_at, name from drizzle.__drizzle_migrations order by id`
  const migrated = await ownDatabase('baseline')
  expect(await entries(at)).toEqual(await entries(migrated))
  expect(await adopt(at.db)).toEqual({ at: baseline, recorded: [], replaced: [] })
  expect(await entries(at)).toHaveLength(2)
})

test('what a later migration sets anew may differ, and is listed with that migration', async () => {
  const at = await ownDatabase('built')
  const { replaced } = await adopt(at.db, { dryRun: true })
  expect(replaced.map(({ by }) => by)).toEqual(replaced.map(() => expand))
  const differing = replaced.map(({ difference: { object, fact } }) => `${object}: ${fact}`)
  const tables = ['llms', 'memories', 'profiles', 'user_agent_catalog', 'user_agents']
  const signUps = 'function public.create_profile_for_new_user()'
  expect(differing.sort()).toEqual(
    [
      ...['anon', 'authenticated'].flatMap(role =>
        tables.map(name => `table public.${name}: grants to ${role}`),
      ),
      ...['anon', 'authenticated', 'public', 'service_role'].map(role => `${signUps}: grants to ${role}`),
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
  expect((await migrate(at.db)).probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  const up = await check(at.db)
  expect(up.differences).toEqual([])
  expect(hasDrift(up)).toBe(false)

  await rollback(at.db, { to: 'secure_the_agent_tables' })
  expect(await readRows(at.admin, everything)).toEqual(before)
  expect(hasDrift(await check(at.db))).toBe(false)

  await migrate(at.db)
  await seed(at.db, defaultSeedFiles())
  await signUp(at.admin)
  const seeded = await check(at.db)
  expect(seeded).toMatchObject({ at: last, pending: [], ledger: [] })
  expect(hasDrift(seeded)).toBe(false)
})

test('in an empty database there is nothing of ours, and it is said so', async () => {
  const at = await ownDatabase('stub_old')
  await expect(adopt(at.db)).rejects.toMatchObject({
    code: 'NOT_ADOPTABLE',
    message: expect.stringContaining('this database has none of the tables: `migrate` creates them'),
  })
  expect(await placeOfLedger(at.db)).toEqual([{ schema: null, ledger: null }])
})

test.for([
  ['baseline', 'secure_the_agent_tables'],
  // What comes between these only moves rows, which no catalog tells, and can be run again.
  ['expanded', 'serve_both_applications'],
  ['contracted', 'rename_the_catalog_and_drop_user_agents'],
  ['today', last],
] as const)('the %s state whose ledger was lost is adopted at %s', async ([state, name]) => {
  const at = await ownDatabase(state)
  if (state === 'expanded') await rollback(at.db, { to: 'secure_the_agent_tables' })
  if (state === 'expanded') await fill(at.admin, { users: 20, memories: 60 })
  if (state === 'expanded') await migrate(at.db, { to: 'archive_what_users_own' })
  const before = await readRows(at.admin, everything)
  const ledger = await at.admin`select hash, created_at, name from drizzle.__drizzle_migrations order by id`
  await at.admin`drop schema drizzle cascade`

  const { at: found, recorded, replaced } = await adopt(at.db)
  expect({ found, replaced }).toEqual({ found: expect.stringContaining(name), replaced: [] })
  expect(await at.admin`select hash, created_at, name from drizzle.__drizzle_migrations order by id`).toEqual(
    ledger.slice(0, recorded.length),
  )
  expect(await readRows(at.admin, everything)).toEqual(before)

  if (state === 'expanded') {
    await migrate(at.db, { to: 'archive_what_users_own' })
    expect(await readRows(at.admin, everything)).toEqual(before)
  }
  await migrate(at.db)
  expect(hasDrift(await check(at.db))).toBe(false)
})

test('an archive that was ended, or kept on the way down, stands in no way', async () => {
  const ended = await ownDatabase('today')
  await dropArchive(ended.db)
  await ended.admin`drop schema drizzle cascade`
  expect(await adopt(ended.db)).toMatchObject({
    at: last,
    replaced: [],
  })

  const kept = await ownDatabase('today')
  await seed(kept.db, defaultSeedFiles())
  await kept.admin`update public.system_agents set agent_type = 'A_FOURTH' where agent_type = 'TASK_EXECUTION'`
  await rollback(kept.db, { to: 'secure_the_agent_tables' })
  await kept.admin`drop schema drizzle cascade`
  expect(await kept.admin`select agent_type from archive.system_agents`).toEqual([{ agent_type: 'A_FOURTH' }])
  expect(await adopt(kept.db)).toMatchObject({ at: baseline, replaced: [] })
  await migrate(kept.db)
  expect(hasDrift(await check(kept.db))).toBe(false)
})

test('two at once both succeed, and each migration is recorded once', async () => {
  const at = await ownDatabase('built')
  const reports = await Promise.all(Array.from({ length: 4 }, () => adopt(at.db)))
  expect(reports.map(({ recorded }) => recorded.length).sort()).toEqual([0, 0, 0, 2])
  for (const report of reports) expect(report.at).toEqual(baseline)
  expect(await readLedger(at.admin)).toHaveLength(2)
})

test('while another migrator is at work it waits for its turn, and then sees what that one recorded', async () => {
  const at = await ownDatabase('built')
  let asked = 0
  const logger = {
    logQuery: (query: string) => {
      if (query.includes('pg_try_advisory_xact_lock')) asked += 1
    },
  }
  const second = drizzle({ client: at.sql, logger })
  const { adopting } = await at.db.transaction(async tx => {
    const report = await adopt(tx)
    expect(report.recorded).toHaveLength(2)
    const adopting = adopt(second)
    await eventually(() => asked).toBeGreaterThan(2)
    return { adopting }
  })
  expect(await adopting).toEqual({ at: baseline, recorded: [], replaced: [] })
  expect(await readLedger(at.admin)).toHaveLength(2)
})

test('beside a migrate both succeed', async () => {
  const at = await ownDatabase('contracted')
  const [migrated, adopted] = await Promise.all([migrate(at.db), adopt(at.db)])
  expect(migrated.applied.map(({ name }) => name)).toEqual(after('rename_the_catalog_and_drop_user_agents'))
  expect(adopted).toMatchObject({ recorded: [], replaced: [] })
  expect(await status(at.db)).toMatchObject({ applied: { length: names.length }, pending: [] })
})
