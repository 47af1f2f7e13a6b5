import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { check, hasDrift, migrate, type Wait } from '../../../src/migrate.ts'
import { probe, probeInTransaction } from '../../../src/platform/probes/probe.ts'
import { createDatabase, ownDatabase, signUp, type TestDatabase, undone } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { catalogs, last } from '../../support/migrations.ts'
import { connect } from '../../support/templates.ts'
import { everythingOf, furtherMigration, idea, signUps } from './further-migration.ts'

const further = furtherMigration()
const today = catalogs.get(last)!

function signal() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

/** A client that locks a table in a transaction, and leaves it open until told. */
async function lock({ adminUrl }: TestDatabase, table: string, mode: string) {
  const client = connect(adminUrl, { max: 1 })
  onTestFinished(() => client.end({ timeout: 5 }))
  const { promise: released, resolve: release } = signal()
  const { promise: locked, resolve: isLocked } = signal()
  const ended = client.begin(async tx => {
    await tx.unsafe(`lock table ${table} in ${mode} mode`)
    isLocked()
    await released
  })
  await locked
  return async () => {
    release()
    await ended
  }
}

describe('beside others', () => {
  test('a lock that keeps a probe waiting is waited for as any other, with the whole step', async () => {
    const at = await ownDatabase('today')
    await further.write(`comment on table public.llms is 'harmless'`)
    const before = await everythingOf(at)
    const unlock = await lock(at, 'auth.users', 'share')
    const options = { folder: further.folder, lockTimeout: 50 }
    const error = await migrate(at.db, { ...options, retries: 1 }).catch(error => error)
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', sqlState: '55P03' })
    expect(error.message).toMatch(
      new RegExp(`^${idea}: the probes: .*SQLSTATE 55P03.*Gave up after 2 attempts`, 's'),
    )
    expect(await everythingOf(at)).toEqual(before)

    const waits: Wait[] = []
    const { promise: waited, resolve } = signal()
    const migrating = migrate(at.db, {
      ...options,
      onWait: wait => {
        if (waits.push(wait) === 2) resolve()
      },
    })
    await waited
    await unlock()
    const { applied, probes } = await migrating
    expect(applied).toHaveLength(1)
    expect(probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  })

  test('a check waits for a lock too, and tries again', async () => {
    const at = await ownDatabase('today')
    const unlock = await lock(at, 'auth.users', 'share')
    const checking = check(at.db)
    const blocked = () =>
      at.admin`select from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and query like '%probe%'`
    await eventually(blocked).not.toEqual([])
    await eventually(blocked).toEqual([])
    await unlock()
    expect(hasDrift(await checking)).toBe(false)
  })

  test('checks at once do not disturb each other', async () => {
    const at = await ownDatabase('today')
    const more = Array.from({ length: 4 }, () => connect(at.url, { max: 1 }))
    onTestFinished(async () => void (await Promise.all(more.map(client => client.end({ timeout: 5 })))))
    for (let round = 0; round < 10; round++) {
      const reports = await Promise.all(more.map(client => check(drizzle({ client }))))
      for (const report of reports) {
        expect(hasDrift(report)).toBe(false)
        expect(report.probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
      }
    }
  })

  test('clients that write meanwhile see no error, and are answered', async () => {
    const at = await ownDatabase('today')
    await at.admin`insert into public.llms (model_code, provider, display_name, status) values ('a', 'b', 'c', 'active')`
    const user = await signUp(at.admin)
    const clients = Array.from({ length: 4 }, () => connect(at.adminUrl, { max: 1 }))
    onTestFinished(async () => void (await Promise.all(clients.map(client => client.end({ timeout: 5 })))))
    const writes: ((client: postgres.Sql) => Promise<unknown>)[] = [
      client => signUp(client),
      client => client`
        insert into public.memories (user_id, memory_type, content, status) values (${user}, 'user', 'x', 'active')`,
      client => client`update public.llms set display_name = md5(random()::text)`,
      client => client`
        insert into public.system_agents (agent_type, llm_id, status)
        select 'TASK_EXECUTION', id, 'active' from public.llms limit 1
        on conflict (agent_type) do update set status = 'active'`,
    ]
    let checking = true
    const answers = writes.map(() => 0)
    const writing = writes.map(async (write, i) => {
      while (checking) {
        await write(clients[i]!)
        answers[i]! += 1
      }
    })
    while (answers.some(times => times < 20)) expect(hasDrift(await check(at.db))).toBe(false)
    checking = false
    await Promise.all(writing)
  })
})

describe('nothing is left behind', () => {
  let at: TestDatabase
  beforeAll(async () => {
    at = await createDatabase('today')
    await fillToday(at)
  })
  afterAll(() => at.drop())

  test('by a check, whether it passes or fails', async () => {
    const before = await everythingOf(at)
    expect((await probe(at.db, today)).filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(await everythingOf(at)).toEqual(before)

    await at.sql`alter policy anon_delete_memories on public.memories using (true)`
    await at.sql`alter policy anon_update_llms on public.llms using (true)`
    const opened = await everythingOf(at)
    expect((await probe(at.db, today)).filter(({ outcome }) => outcome === 'failed')).toHaveLength(2)
    expect(await everythingOf(at)).toEqual(opened)
    await at.sql`alter policy anon_delete_memories on public.memories using (false)`
    await at.sql`alter policy anon_update_llms on public.llms using (false)`
  })

  test.for([
    { outcome: 'passed', change: 'select' },
    { outcome: 'failed', change: signUps(`raise exception 'no more users';`) },
    { outcome: 'failed', change: 'alter policy anon_select_memories on public.memories using (true)' },
  ])('in the transaction of somebody, after a probe has $outcome', async ({ outcome, change }) => {
    const settings = ['role', 'search_path', 'row_security', 'lock_timeout']
    await undone(at.db, async tx => {
      await tx.execute(sql.raw(change))
      await tx.execute(sql`select set_config('search_path', 'public, auth', true)`)
      const state = async () => ({
        settings: await tx.execute(
          sql`select name, current_setting(name) as is from jsonb_array_elements_text(${JSON.stringify(settings)}::text::jsonb) name`,
          'objects',
        ),
        user: await tx.execute(sql`select current_user::text as is`, 'objects'),
        grants: await tx.execute(
          sql`select oid::regclass::text as name, relacl::text from pg_class where relnamespace = 'public'::regnamespace order by 1`,
          'objects',
        ),
        rows: await tx.execute(
          sql`select (select count(*) from auth.users) as users, (select count(*) from public.profiles) as profiles,
                     (select count(*) from public.llms) as llms, (select count(*) from public.memories) as memories`,
          'objects',
        ),
      })
      const before = await state()
      const probes = await probeInTransaction(tx, today)
      expect(probes.some(probe => probe.outcome === 'failed')).toBe(outcome === 'failed')
      expect(await state()).toEqual(before)
    })
  })

  async function fillToday({ admin }: TestDatabase): Promise<void> {
    const user = await signUp(admin)
    await admin`insert into public.llms (model_code, provider, display_name, status) values ('a', 'b', 'c', 'active')`
    await admin`
      insert into public.memories (user_id, memory_type, content, status) values (${user}, 'user', 'x', 'active')`
  }
})
