import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase } from '../../support/database.ts'
import { baseline, names, namesAfter, upAndDown } from '../../support/migrations.ts'
import { withMigrators } from '../../support/migrators.ts'
import { addModel, ledgerNames } from '../../support/rows.ts'

test('eight migrators at once on an empty database all succeed, and record each migration once', async () => {
  const at = await withMigrators('stub_old')
  const reports = await Promise.all(at.migrators.map(migrator => migrate(migrator)))
  expect(reports.flatMap(report => report.applied.map(({ name }) => name)).sort()).toEqual(names)
  for (const { applied, already } of reports) expect(applied.length + already).toBe(names.length)
  expect(await ledgerNames(at)).toEqual(names)
  const today = await ownDatabase('today')
  expect(await readCatalog(at.admin)).toEqual(await readCatalog(today.admin))
})

test('eight rollbacks at once undo each migration once', async () => {
  const { admin, migrators } = await withMigrators('today')
  const reports = await Promise.all(migrators.map(migrator => rollback(migrator, { to: baseline })))
  const undone = reports.flatMap(report => report.undone.map(({ name }) => name))
  expect(undone.sort()).toEqual(namesAfter(baseline))
  const before = await ownDatabase('baseline')
  expect(await readCatalog(admin)).toEqual(await readCatalog(before.admin))
})

test('sign-ups go on while migrators go up and down, and each has a profile and its agent', async () => {
  const { admin, db } = await ownDatabase('baseline')
  await admin`
    insert into public.user_agent_catalog (agent_type, llm_id, status)
    values ('TASK_EXECUTION', ${await addModel(admin)}, 'active')`
  const signUp = (n: number) =>
    admin`insert into auth.users (id, email) values (gen_random_uuid(), ${`user${n}@example.test`})`
  const users = await upAndDown(db, signUp)
  expect(users).toBeGreaterThan(0)
  const counts = await admin`
    select count(*)::int as users, count(p.id)::int as profiles, count(a.id)::int as agents
      from auth.users u
      left join public.profiles p using (id)
      left join public.user_agents a on a.user_id = u.id`
  expect(counts).toEqual([{ users, profiles: users, agents: users }])
  expect(await admin`select distinct settings::text as text from public.profiles`).toEqual([{ text: '{}' }])
})
