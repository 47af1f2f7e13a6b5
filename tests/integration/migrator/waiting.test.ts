import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { migrate, rollback, type Wait } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { namesAfter } from '../../support/migrations.ts'
import { readLedger, readRows } from '../../support/rows.ts'
import { connect } from '../../support/templates.ts'

/** The step that wants most: the catalog's rename, and the end of `user_agents` and of `memories.agent_id`. */
const contract = 'rename_the_catalog_and_drop_user_agents'

/** Some users and memories, with nothing but the contract step due next. */
async function filled(): Promise<TestDatabase> {
  const database = await ownDatabase('baseline of 40 users and 120 memories')
  await migrate(database.db, { to: 'let_go_of_agent_id' })
  return database
}

function client(
  { url }: { url: string },
  name: string,
  options: postgres.Options<Record<string, never>> = {},
): postgres.Sql {
  const sql = connect(url, { max: 1, ...options, connection: { application_name: name } })
  onTestFinished(() => sql.end({ timeout: 5 }))
  return sql
}

/** A client that does something in a transaction, and leaves it open until told. */
async function hold(sql: postgres.Sql, work: (tx: postgres.TransactionSql) => Promise<unknown>) {
  let release = () => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  let ended: Promise<unknown> = Promise.resolve()
  const pid = await new Promise<number>((resolve, reject) => {
    ended = sql.begin(async tx => {
      await work(tx)
      const [self] = await tx`select pg_backend_pid() as pid`
      resolve(self?.pid)
      await released
    })
    ended.catch(reject)
  })
  return {
    pid,
    done: async () => {
      release()
      await ended
    },
  }
}

const owner = async ({ admin }: TestDatabase): Promise<string> =>
  (await admin`select user_id from public.user_agents where agent_type = 'TASK_EXECUTION' limit 1`)[0]
    ?.user_id

const work: Record<string, (at: TestDatabase) => Promise<(tx: postgres.TransactionSql) => Promise<unknown>>> =
  {
    'read a model': async () => tx => tx`select * from public.llms limit 1`,
    'written a memory': async at => {
      const user = await owner(at)
      return tx => tx`
      insert into public.memories (user_id, memory_type, content, status)
      values (${user}, 'work', 'held open', 'active')`
    },
  }

/** Resolves once `statement` was answered so often. */
async function answered(often: number, statement: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < often; n++) await statement()
}

/** Resolves once the migration has waited so often. */
function waits(often: number) {
  const seen: Wait[] = []
  let enough = () => {}
  const reached = new Promise<void>(resolve => {
    enough = resolve
  })
  const onWait = (wait: Wait) => {
    seen.push(wait)
    if (seen.length === often) enough()
  }
  return { seen, reached, onWait }
}

test.for(Object.keys(work))(
  'behind a client that has %s and goes on, others are answered, and the step waits its turn',
  async what => {
    const at = await filled()
    const holder = await hold(client(at, 'slow client'), await work[what]!(at))
    const { seen, reached, onWait } = waits(4)
    const auth = client({ url: at.adminUrl }, 'sign-ups')
    const reader = client(at, 'reader')
    const migrating = migrate(at.db, { to: contract, onWait })
    // All of this while the holder goes on: whoever queued behind the step was let through.
    await Promise.all([
      reached,
      answered(50, () => signUp(auth)),
      answered(50, () => reader`select count(*) from public.memories where status = 'active'`),
    ])
    for (const { message } of seen) {
      expect(message).toContain(contract)
      expect(message).toMatch(/statement \d+ of \d+, line \d+/)
    }
    expect(seen.map(({ attempt }) => attempt)).toEqual(seen.map((_, i) => i + 1))
    expect(seen.map(({ message }) => message).join()).toContain(`pid ${holder.pid}, application slow client`)

    await holder.done()
    expect((await migrating).applied.map(({ name }) => name)).toEqual([expect.stringContaining(contract)])
    expect(await at.admin`select to_regclass('public.user_agents') as there`).toEqual([{ there: null }])
  },
)

test.for(Object.keys(work))(
  'giving up behind a client that has %s leaves everything as it was',
  async what => {
    const at = await filled()
    const holder = await hold(client(at, 'slow client'), await work[what]!(at))
    const state = async () => ({
      catalog: await readCatalog(at.admin),
      rows: await readRows(at.admin, ['public', 'auth', 'archive']),
      ledger: await readLedger(at.admin),
    })
    const before = await state()
    const { seen, onWait } = waits(1)
    const error = await migrate(at.db, { retries: 1, onWait }).catch(error => error)
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', sqlState: '55P03' })
    expect(error.message).toMatch(
      new RegExp(`_${contract}/migration.sql: statement \\d+ of \\d+, line \\d+: .*SQLSTATE 55P03`),
    )
    expect(error.message).toContain(`blocked by: pid ${holder.pid}, application slow client`)
    expect(error.message).toContain('The migration was rolled back and is not applied')
    expect(error.message).toContain('Gave up after 2 attempts')
    expect(seen).toHaveLength(1)
    expect(await state()).toEqual(before)

    await holder.done()
    expect((await migrate(at.db, { retries: 20 })).applied).toHaveLength(
      namesAfter('let_go_of_agent_id').length,
    )
  },
)

test('a rollback waits as a migration does, and gives up as it does', async () => {
  const at = await filled()
  await migrate(at.db, { to: contract })
  const holder = await hold(client(at, 'slow client'), tx => tx`select * from public.system_agents limit 1`)
  const before = await readCatalog(at.admin)
  const error = await rollback(at.db, { retries: 1 }).catch(error => error)
  expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', sqlState: '55P03' })
  expect(error.message).toMatch(new RegExp(`_${contract}/down.sql: statement`))
  expect(error.message).toContain(`blocked by: pid ${holder.pid}, application slow client`)
  expect(await readCatalog(at.admin)).toEqual(before)

  const { reached, onWait } = waits(1)
  const undoing = rollback(at.db, { onWait })
  await reached
  await holder.done()
  expect((await undoing).undone).toHaveLength(1)
})

test('without a connection to spare it waits all the same, and cannot say for whom', async () => {
  const at = await filled()
  const holder = await hold(client(at, 'slow client'), tx => tx`select * from public.llms limit 1`)
  const db = drizzle({ client: client(at, 'migrator') })
  const { seen, reached, onWait } = waits(1)
  const migrating = migrate(db, { to: contract, onWait })
  await reached
  expect(seen[0]?.message).toContain('SQLSTATE 55P03')
  await holder.done()
  expect((await migrating).applied).toHaveLength(1)
})

test('a client that takes two locks in the other order is never the victim of the deadlock', async () => {
  const at = await filled()
  const user = await owner(at)
  const { seen, onWait } = waits(1)
  // llms is what the step asks for last, auth.users and memories what it asks for first.
  const { id, migrating } = await client(at, 'two statements').begin(async tx => {
    const [self] = await tx`select pg_backend_pid() as pid, count(*) from public.llms`
    const migrating = migrate(at.db, { to: contract, onWait })
    const waitingForUs = () =>
      at.admin`select 1 from pg_stat_activity
                where datname = current_database() and ${self?.pid}::int = any (pg_blocking_pids(pid))`
    await eventually(waitingForUs).not.toEqual([])
    const [made] = await tx`
      insert into public.memories (user_id, memory_type, content, status)
      values (${user}, 'work', 'survives', 'active') returning id`
    return { id: made?.id, migrating }
  })
  expect((await migrating).applied).toHaveLength(1)
  expect(seen.length).toBeGreaterThan(0)
  expect(await at.admin`select content from public.memories where id = ${id}`).toEqual([
    { content: 'survives' },
  ])
})
