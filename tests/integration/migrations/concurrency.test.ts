import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { migrate, rollback, status } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase } from '../../support/database.ts'
import { baseline, migrationsSince } from '../../support/migrations.ts'
import { readRows } from '../../support/rows.ts'
import { all } from '../../support/sample.ts'
import { connect } from '../../support/templates.ts'

/** More rows than a batch of the online parts has. */
const filledBaseline = 'baseline of 400 users and 3000 memories'

/** How often eight migrators race; more on demand. */
const rounds = Number(process.env.ROUNDS ?? (all ? 3 : 1))

/** Eight migrators. With a connection more than one each, the online parts run too. */
async function fresh(template: string, max = 1) {
  const database = await ownDatabase(template)
  const clients = Array.from({ length: 8 }, () => connect(database.url, { max }))
  onTestFinished(async () => {
    await Promise.all(clients.map(client => client.end({ timeout: 5 })))
  })
  return { ...database, migrators: clients.map(client => drizzle({ client })) }
}

test('eight migrators at once on an empty database all succeed, and record each migration once', async () => {
  const { admin, db, migrators } = await fresh('standin_old')
  const reports = await Promise.all(migrators.map(migrator => migrate(migrator)))
  const { applied } = await status(db)
  const names = applied.map(({ name }) => name)
  expect(names.length).toBeGreaterThanOrEqual(6)
  expect(reports.flatMap(report => report.applied.map(({ name }) => name)).sort()).toEqual(names)
  expect(reports.map(report => report.applied.length + report.already)).toEqual(
    Array.from({ length: 8 }, () => names.length),
  )
  const ledger = await admin`select name from drizzle.__drizzle_migrations order by id`
  expect(ledger.map(({ name }) => name)).toEqual(names)
  const today = await ownDatabase('today')
  expect(await readCatalog(admin, { archive: true })).toEqual(
    await readCatalog(today.admin, { archive: true }),
  )
})

test('eight rollbacks at once undo each migration once', async () => {
  const { admin, migrators } = await fresh('today')
  const reports = await Promise.all(
    migrators.map(migrator => rollback(migrator, { to: 'secure_the_agent_tables' })),
  )
  expect(reports.flatMap(({ undone }) => undone.map(({ name }) => name.slice(15))).sort()).toEqual(
    [...migrationsSince].sort(),
  )
  const baseline = await ownDatabase('baseline')
  expect(await readCatalog(admin, { archive: true })).toEqual(
    await readCatalog(baseline.admin, { archive: true }),
  )
})

test('sign-ups go on while migrators go up and down, and every one has a profile and no fewer agents', async () => {
  const { admin, migrators } = await fresh('baseline')
  await admin`
    insert into public.llms (id, model_code, provider, display_name, status)
    values (md5('model 1')::uuid, 'model-1', 'provider', 'Model 1', 'active')`
  await admin`
    insert into public.user_agent_catalog (agent_type, llm_id, status)
    values ('TASK_EXECUTION', md5('model 1')::uuid, 'active')`
  const [migrator] = migrators
  let moving = true
  const signUps = (async () => {
    let made = 0
    for (; moving; made++) {
      await admin`insert into auth.users (id, email) values (gen_random_uuid(), ${`user${made}@example.test`})`
    }
    return made
  })()
  try {
    for (let turn = 0; turn < 3; turn++) {
      await migrate(migrator!)
      await rollback(migrator!, { to: 'secure_the_agent_tables' })
    }
  } finally {
    moving = false
  }
  const made = await signUps
  expect(made).toBeGreaterThan(0)
  expect(
    await admin`
    select count(*)::int as users, count(p.id)::int as profiles, count(a.id)::int as agents
      from auth.users u
      left join public.profiles p using (id)
      left join public.user_agents a on a.user_id = u.id`,
  ).toEqual([{ users: made, profiles: made, agents: made }])
  expect(await admin`select distinct settings::text as text from public.profiles`).toEqual([{ text: '{}' }])
})

describe('eight migrators at once, each with two connections', () => {
  const numbers = Array.from({ length: rounds }, (_, i) => i + 1)
  const states = ['a fresh database', 'a baseline whose rows are still to be moved'] as const
  let today: TestDatabase
  let alone: TestDatabase

  /** What a single migrator comes to. */
  beforeAll(async () => {
    today = await createDatabase('today')
    alone = await createDatabase(filledBaseline)
    await migrate(alone.db)
  })
  afterAll(() => Promise.all([today.drop(), alone.drop()]))

  test.for(numbers.flatMap(round => states.map(state => ({ round, state }))))(
    'on $state, round $round',
    async ({ state }) => {
      const filled = state !== states[0]
      const { admin, migrators } = await fresh(filled ? filledBaseline : 'standin_old', 2)

      const reports = await Promise.all(migrators.map(migrator => migrate(migrator)))
      const ledger = (await admin`select name from drizzle.__drizzle_migrations order by id`).map(
        ({ name }) => name,
      )
      expect(ledger.map(name => name.slice('YYYYMMDDHHMMSS_'.length)).slice(-migrationsSince.length)).toEqual(
        migrationsSince,
      )
      expect(new Set(ledger).size).toBe(ledger.length)
      expect(reports.flatMap(({ applied }) => applied.map(({ name }) => name)).sort()).toEqual(
        filled ? ledger.slice(-migrationsSince.length) : ledger,
      )
      for (const { applied, already } of reports) expect(applied.length + already).toBe(ledger.length)
      expect(await readCatalog(admin, { archive: true })).toEqual(
        await readCatalog(today.admin, { archive: true }),
      )
      const schemas = ['public', 'auth', 'archive']
      if (filled) expect(await readRows(admin, schemas)).toEqual(await readRows(alone.admin, schemas))

      const ways = await Promise.all(migrators.map(migrator => rollback(migrator, { to: baseline })))
      expect(ways.flatMap(({ undone }) => undone.map(({ name }) => name)).sort()).toEqual(
        ledger.slice(-migrationsSince.length),
      )
    },
  )
})

test('four commands at once on a filled baseline all exit 0, and apply each migration once', async () => {
  const { admin, url } = await fresh(filledBaseline)
  const env = { DATABASE_URL: url }
  const results = await Promise.all(Array.from({ length: 4 }, () => runCli(['migrate', '--json'], { env })))
  for (const { code, stderr } of results) expect({ code, stderr }).toMatchObject({ code: 0 })
  const applied: { name: string }[] = results.flatMap(({ stdout }) => JSON.parse(stdout).applied)
  expect(applied.map(({ name }) => name.slice('YYYYMMDDHHMMSS_'.length)).sort()).toEqual(
    [...migrationsSince].sort(),
  )
  const ledger =
    await admin`select name, count(*)::int as times from drizzle.__drizzle_migrations group by name`
  expect(ledger).toHaveLength(migrationsSince.length + 2)
  expect(ledger.filter(({ times }) => times !== 1)).toEqual([])
})
