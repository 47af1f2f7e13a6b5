import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import type { Database } from '../../../src/database.ts'
import { type LockOptions, migrate, repair, rollback, status } from '../../../src/migrate.ts'
import { readCatalog, stateOf } from '../../support/catalog.ts'
import { hold, ownClient, waits } from '../../support/client.ts'
import { ownDatabase, signUp } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { named, namesAfter } from '../../support/migrations.ts'
import { addMemory } from '../../support/rows.ts'

/** The migration that wants most: the catalog's rename, and the end of `user_agents` and of `memories.agent_id`. */
const contract = 'rename_catalog_and_drop_user_agents'

/** Some users and memories, and that migration the next. */
async function filled() {
  const database = await ownDatabase('baseline of 40 users and 120 memories')
  await migrate(database.db, { to: 'drop_agent_id_constraints' })
  return database
}

const write = (content: string) => `
  insert into public.memories (user_id, memory_type, content, status)
  select user_id, 'work', '${content}', 'active' from public.user_agents where agent_type = 'TASK_EXECUTION' limit 1`
const holders = [
  ['read a model', 'select * from public.llms limit 1'],
  ['written a memory', write('held open')],
] as const

/** Resolves once `statement` was answered so often. */
async function answered(often: number, statement: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < often; n++) await statement()
}

test.for(holders)(
  'behind a client that has %s and goes on, others are answered, and the migration waits its turn',
  async ([, statement]) => {
    const at = await filled()
    const holder = await hold(at.url, statement)
    const { seen, reached, onWait } = waits(4)
    const [auth, reader] = [ownClient(at.adminUrl), ownClient(at.url)]
    const migrating = migrate(at.db, { to: contract, onWait })
    // All of this while the holder goes on: clients that queued behind the migration were let through.
    await Promise.all([
      reached(migrating),
      answered(50, () => signUp(auth)),
      answered(50, () => reader`select count(*) from public.memories where status = 'active'`),
    ])
    for (const { message } of seen) {
      expect(message).toContain(contract)
      expect(message).toMatch(/statement \d+ of \d+, line \d+/)
    }
    expect(seen.map(({ attempt }) => attempt)).toEqual(seen.map((_, i) => i + 1))
    expect(seen.map(({ message }) => message).join()).toContain(`pid ${holder.pid}, application slow client`)

    await holder.release()
    expect((await migrating).applied.map(({ name }) => name)).toEqual([named(contract)])
    expect(await at.admin`select to_regclass('public.user_agents') as there`).toEqual([{ there: null }])
  },
)

test.for(holders)(
  'giving up behind a client that has %s leaves everything as it was',
  async ([, statement]) => {
    const at = await filled()
    const holder = await hold(at.url, statement)
    const before = await stateOf(at)
    const { seen, onWait } = waits(1)
    const error = await migrate(at.db, { retries: 1, onWait }).catch(error => error)
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', sqlState: '55P03' })
    const place = `${named(contract)}/migration.sql: statement \\d+ of \\d+, line \\d+: .*SQLSTATE 55P03`
    expect(error.message).toMatch(new RegExp(place))
    for (const words of [
      `blocked by: pid ${holder.pid}, application slow client`,
      'The migration was rolled back and is not applied',
      'Gave up after 2 attempts',
    ])
      expect(error.message).toContain(words)
    expect(seen).toHaveLength(1)
    expect(await stateOf(at)).toEqual(before)

    await holder.release()
    const { applied } = await migrate(at.db, { retries: 20 })
    expect(applied).toHaveLength(namesAfter('drop_agent_id_constraints').length)
  },
)

test('a rollback waits as a migration does, and gives up as it does', async () => {
  const at = await filled()
  await migrate(at.db, { to: contract })
  const holder = await hold(at.url, 'select * from public.system_agents limit 1')
  const before = await readCatalog(at.admin)
  const error = await rollback(at.db, { retries: 1 }).catch(error => error)
  expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', sqlState: '55P03' })
  expect(error.message).toContain(`${named(contract)}/down.sql: statement`)
  expect(error.message).toContain(`blocked by: pid ${holder.pid}, application slow client`)
  expect(await readCatalog(at.admin)).toEqual(before)

  const { reached, onWait } = waits(1)
  const undoing = rollback(at.db, { onWait })
  await reached(undoing)
  await holder.release()
  expect((await undoing).undone).toHaveLength(1)
})

test('without a connection to spare it waits all the same, and cannot say for whom', async () => {
  const at = await filled()
  const holder = await hold(at.url, 'select * from public.llms limit 1')
  const { seen, reached, onWait } = waits(1)
  const migrating = migrate(drizzle({ client: ownClient(at.url) }), { to: contract, onWait })
  await reached(migrating)
  expect(seen[0]?.message).toContain('SQLSTATE 55P03')
  expect(seen[0]?.message).not.toContain('blocked by')
  await holder.release()
  expect((await migrating).applied).toHaveLength(1)
})

test('a client that takes two locks in the other order is never the victim of the deadlock', async () => {
  const at = await filled()
  const [owner] = await at.admin`select user_id from public.user_agents where agent_type = 'TASK_EXECUTION'`
  const { seen, onWait } = waits(1)
  // llms is what the migration asks for last, auth.users and memories what it asks for first.
  const { migrating } = await ownClient(at.url).begin(async tx => {
    const [self] = await tx`select pg_backend_pid() as pid, count(*) from public.llms`
    const migrating = migrate(at.db, { to: contract, onWait })
    const waitingForUs = () =>
      at.admin`select 1 from pg_stat_activity
                where datname = current_database() and ${self?.pid}::int = any (pg_blocking_pids(pid))`
    await eventually(waitingForUs).not.toEqual([])
    await addMemory(tx, owner?.user_id, 'work', 'survives')
    return { migrating }
  })
  expect((await migrating).applied).toHaveLength(1)
  expect(seen.length).toBeGreaterThan(0)
  expect(await at.admin`select from public.memories where content = 'survives'`).toHaveLength(1)
})

test('a locked ledger is waited for like any other table', async () => {
  const at = await filled()
  const holder = await hold(at.adminUrl, 'lock table drizzle.__drizzle_migrations in exclusive mode')
  const { seen, reached, onWait } = waits(2)
  const migrating = migrate(at.db, { to: contract, onWait })
  await reached(migrating)
  expect(seen[0]?.message).toBe('canceling statement due to lock timeout')
  await holder.release()
  expect((await migrating).applied).toHaveLength(1)
})

test.for<[string, (db: Database, options: Pick<LockOptions, 'onWait'>) => Promise<unknown>]>([
  ['migrate', migrate],
  ['rollback', rollback],
  ['repair', repair],
])('%s says who holds the lock of the migrators, and goes on once it is free', async ([, run]) => {
  const at = await ownDatabase('expanded')
  const holder = await hold(at.url, `select pg_advisory_xact_lock(${0x61676462})`)
  const { seen, reached, onWait } = waits(2)
  const running = run(at.db, { onWait })
  await reached(running)
  expect(seen[0]).toEqual({
    attempt: 0,
    message: expect.stringMatching(
      new RegExp(
        `^waits for another migration to end\nblocked by: pid ${holder.pid}, application slow client, .*in a transaction`,
      ),
    ),
  })
  await holder.release()
  await running
})

test('a connection of the pool that the server ended while it was idle is replaced before anything is run', async () => {
  const at = await ownDatabase('expanded')
  const sql = ownClient(at.url, { max: 1 })
  const db = drizzle({ client: sql })
  for (let round = 0; round < 20; round++) {
    const [self] = await sql`select pg_backend_pid() as pid`
    await at.admin`select pg_terminate_backend(${self?.pid})`
    // The end of the connection may not have come here yet.
    expect((await status(db)).pending).not.toEqual([])
  }
})
