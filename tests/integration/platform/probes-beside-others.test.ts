import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { check, hasDrift, migrate } from '../../../src/migrate.ts'
import { probe, probeInTransaction } from '../../../src/platform/probes/probe.ts'
import { hold, ownClient, waits } from '../../support/client.ts'
import { ownDatabase, sharedDatabase, signUp, type TestDatabase, undone } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { catalogs, last } from '../../support/migrations.ts'
import { addMemory, addModel } from '../../support/rows.ts'
import { everythingOf, furtherMigration, idea, notPassed, signUps } from './further-migration.ts'

const further = furtherMigration()
const today = catalogs.get(last)!
const lockUsers = ({ adminUrl }: TestDatabase) => hold(adminUrl, 'lock table auth.users in share mode')

describe('beside others', () => {
  test('a lock that keeps a probe waiting is waited for as any other, with the whole migration', async () => {
    const at = await ownDatabase('today')
    await further.write(`comment on table public.llms is 'harmless'`)
    const before = await everythingOf(at)
    const lock = await lockUsers(at)
    const options = { folder: further.folder, lockTimeout: 50 }
    const error = await migrate(at.db, { ...options, retries: 1 }).catch(error => error)
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', sqlState: '55P03' })
    const message = `^${idea}: the probes: .*SQLSTATE 55P03.*Gave up after 2 attempts`
    expect(error.message).toMatch(new RegExp(message, 's'))
    expect(await everythingOf(at)).toEqual(before)

    const { reached, onWait } = waits(2)
    const migrating = migrate(at.db, { ...options, onWait })
    await reached(migrating)
    await lock.release()
    const { applied, probes } = await migrating
    expect(applied).toHaveLength(1)
    expect(notPassed(probes)).toEqual([])
  })

  test('a check waits for a lock too, and tries again', async () => {
    const at = await ownDatabase('today')
    const lock = await lockUsers(at)
    const checking = check(at.db)
    const blocked = () =>
      at.admin`select from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and query like '%probe%'`
    await eventually(blocked).not.toEqual([])
    await eventually(blocked).toEqual([])
    await lock.release()
    expect(hasDrift(await checking)).toBe(false)
  })

  test('checks at once do not disturb each other', async () => {
    const at = await ownDatabase('today')
    const clients = Array.from({ length: 4 }, () => drizzle({ client: ownClient(at.url) }))
    for (let round = 0; round < 10; round++) {
      for (const report of await Promise.all(clients.map(client => check(client)))) {
        expect(hasDrift(report)).toBe(false)
        expect(notPassed(report.probes)).toEqual([])
      }
    }
  })

  test('clients that write meanwhile see no error, and are answered', async () => {
    const at = await ownDatabase('today')
    const model = await addModel(at.admin)
    const user = await signUp(at.admin)
    const writes: ((client: postgres.Sql) => Promise<unknown>)[] = [
      client => signUp(client),
      client => addMemory(client, user),
      client => client`update public.llms set display_name = md5(random()::text)`,
      client => client`
        insert into public.system_agents (agent_type, llm_id, status) values ('TASK_EXECUTION', ${model}, 'active')
        on conflict (agent_type) do update set status = 'active'`,
    ]
    let checking = true
    const answers = writes.map(() => 0)
    const writing = writes.map(async (write, i) => {
      const client = ownClient(at.adminUrl)
      for (; checking; answers[i]! += 1) await write(client)
    })
    while (answers.some(times => times < 20)) expect(hasDrift(await check(at.db))).toBe(false)
    checking = false
    await Promise.all(writing)
  })
})

describe('nothing is left behind', () => {
  const at = sharedDatabase('today', async ({ admin }) => {
    await addMemory(admin, await signUp(admin))
    await addModel(admin)
  })

  test('by a check, whether it passes or fails', async () => {
    const before = await everythingOf(at)
    expect(notPassed(await probe(at.db, today))).toEqual([])
    expect(await everythingOf(at)).toEqual(before)

    const set = (using: string) =>
      at.sql.unsafe(`alter policy anon_delete_memories on public.memories using (${using});
                     alter policy anon_update_llms on public.llms using (${using})`)
    await set('true')
    const opened = await everythingOf(at)
    expect(notPassed(await probe(at.db, today)).map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
    expect(await everythingOf(at)).toEqual(opened)
    await set('false')
  })

  test.for([
    ['passed', 'select'],
    ['failed', signUps(`raise exception 'no more users';`)],
    ['failed', 'alter policy anon_select_memories on public.memories using (true)'],
  ])('in the transaction of somebody, after a probe has %s', async ([outcome, change]) => {
    await undone(at.db, async tx => {
      await tx.execute(sql.raw(change!))
      await tx.execute(sql`select set_config('search_path', 'public, auth', true)`)
      const state = async () => [
        await tx.execute(
          sql`select current_user::text as user, current_setting('role') as role, current_setting('search_path') as path,
                     current_setting('row_security') as secure, current_setting('lock_timeout') as lock_timeout,
                     (select count(*) from auth.users) as users, (select count(*) from public.profiles) as profiles,
                     (select count(*) from public.llms) as llms, (select count(*) from public.memories) as memories`,
          'objects',
        ),
        await tx.execute(
          sql`select oid::regclass::text as name, relacl::text from pg_class where relnamespace = 'public'::regnamespace order by 1`,
          'objects',
        ),
      ]
      const before = await state()
      const probes = await probeInTransaction(tx, today)
      expect(probes.some(probe => probe.outcome === 'failed')).toBe(outcome === 'failed')
      expect(await state()).toEqual(before)
    })
  })
})
