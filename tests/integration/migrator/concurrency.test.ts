import { expect, test } from 'vitest'
import { migrate, rollback, status } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase } from '../../support/database.ts'
import { migrationsSince } from '../../support/migrations.ts'
import { withMigrators } from '../../support/migrators.ts'

test('eight migrators at once on an empty database all succeed, and record each migration once', async () => {
  const { admin, db, migrators } = await withMigrators('stub_old')
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
  expect(await readCatalog(admin)).toEqual(await readCatalog(today.admin))
})

test('eight rollbacks at once undo each migration once', async () => {
  const { admin, migrators } = await withMigrators('today')
  const reports = await Promise.all(
    migrators.map(migrator => rollback(migrator, { to: 'secure_the_agent_tables' })),
  )
  expect(reports.flatMap(({ undone }) => undone.map(({ name }) => name.slice(15))).sort()).toEqual(
    [...migrationsSince].sort(),
  )
  const baseline = await ownDatabase('baseline')
  expect(await readCatalog(admin)).toEqual(await readCatalog(baseline.admin))
})

test('sign-ups go on while migrators go up and down, and every one has a profile and no fewer agents', async () => {
  const { admin, migrators } = await withMigrators('baseline')
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
