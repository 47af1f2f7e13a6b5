import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog, stateOf } from '../../support/catalog.ts'
import { hold, ownClient, waits } from '../../support/client.ts'
import { ownDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { folderOf } from '../../support/folder.ts'
import { baseline, named, namesAfter } from '../../support/migrations.ts'

test('migrators that wait for their turn do not keep an index from being built concurrently', async () => {
  const at = await ownDatabase('baseline of 40 users and 200 memories')
  const migrators = Array.from({ length: 4 }, () => drizzle({ client: ownClient(at.url, { max: 2 }) }))
  const before = await stateOf(at, ['public', 'auth'])
  // Both ways build an index concurrently, while three others wait.
  const up = await Promise.all(migrators.map(db => migrate(db)))
  expect(up.flatMap(report => report.applied)).toHaveLength(namesAfter(baseline).length)
  const down = await Promise.all(migrators.map(db => rollback(db, { to: baseline })))
  expect(down.flatMap(report => report.undone)).toHaveLength(namesAfter(baseline).length)
  expect(await stateOf(at, ['public', 'auth'])).toEqual(before)
})

test('a pool of one connection is migrated without the online parts, to the same catalog', async () => {
  const [one, two] = [await ownDatabase('baseline'), await ownDatabase('baseline')]
  await migrate(drizzle({ client: ownClient(one.url) }))
  await migrate(drizzle({ client: ownClient(two.url, { max: 2 }) }))
  expect(await readCatalog(one.admin)).toEqual(await readCatalog(two.admin))
})

test('what commits by itself runs outside a transaction, everything else in one with our lock timeout', async () => {
  const at = await ownDatabase('stub_old')
  const seen = (statement: string) =>
    `insert into public.seen values ('${statement}', current_setting('lock_timeout'));`
  const folder = await folderOf({
    '20260101000000_begin': {
      'migration.sql': `create table public.seen (statement text, lock_timeout text);\n${seen('migration')}`,
    },
    '20260102000000_go_on': {
      'migration.sql': 'select 1;',
      'online.sql': [
        seen('plain'),
        `-- No commit, and nothing concurrently.\n${seen('comment')}`,
        `do $$\nbegin\n  ${seen('block')}\n  commit;\nend;\n$$;`,
        'create index concurrently seen_statement on public.seen (statement);',
      ].join('\n--> statement-breakpoint\n'),
    },
  })
  await migrate(at.db, { folder, lockTimeout: 77 })
  expect(await at.sql`select * from public.seen order by statement`).toEqual([
    { statement: 'block', lock_timeout: '0' },
    { statement: 'comment', lock_timeout: '77ms' },
    { statement: 'migration', lock_timeout: '77ms' },
    { statement: 'plain', lock_timeout: '77ms' },
  ])
})

test('a lock is waited for 100 ms unless told otherwise', async () => {
  const at = await ownDatabase('stub_old')
  const up = "create table public.seen as select current_setting('lock_timeout') as lock_timeout"
  await migrate(at.db, { folder: await folderOf({ '20260101000000_begin': { 'migration.sql': up } }) })
  expect(await at.sql`select lock_timeout from public.seen`).toEqual([{ lock_timeout: '100ms' }])
})

test('limits of the server on how long a transaction may last do not end a migration that waits for its online part', async () => {
  const { sql, admin, name, url } = await ownDatabase('stub_old')
  // The second one came with PostgreSQL 17.
  const limits = await admin`
    select name from pg_settings where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`
  for (const limit of limits) await admin.unsafe(`alter database ${name} set ${limit.name} = '1s'`)
  const lasting = 'do $$ begin for i in 1..3 loop perform pg_sleep(0.6); commit; end loop; end $$;'
  const folder = await folderOf({
    '20260101000000_begin': { 'online.sql': lasting, 'migration.sql': 'create table public.made ();' },
  })
  const limited = drizzle({ client: ownClient(url, { max: 2 }) })
  expect((await migrate(limited, { folder })).applied).toHaveLength(1)
  expect(await sql`select from public.made`).toEqual([])
})

test('an index that waits for older transactions to end says for whom, and is built once they have', async () => {
  const at = await ownDatabase('baseline of 10 users and 40 memories')
  await migrate(at.db, { to: 'check_memory_type' })
  const older = await hold(at.url, 'select count(*) from public.memories')
  const { seen, reached, onWait } = waits(1)
  const migrating = migrate(at.db, { to: 'index_foreign_keys', onWait })
  await reached(migrating)
  await older.release()
  expect((await migrating).applied).toHaveLength(1)
  const place = `${named('index_foreign_keys')}/online\\.sql: statement 1 of \\d+, line \\d+`
  const blocked = `blocked by: pid ${older.pid}, application slow client, `
  expect(seen[0]).toEqual({
    message: expect.stringMatching(`^${place}: waits for older transactions, and blocks nobody\\n${blocked}`),
    attempt: 0,
  })
})

test('an index whose build was ended is dropped, and built again concurrently', async () => {
  const at = await ownDatabase('stub_old')
  await at.sql`create table public.things (id int)`
  const folder = await folderOf({
    '20260101000000_index': {
      'migration.sql': 'select 1;',
      'online.sql': 'create index concurrently if not exists ix_things on public.things (id);',
    },
  })
  // The build waits for a client that then waits for the build: PostgreSQL ends the build, which left half an index.
  const client = ownClient(at.adminUrl)
  await client.unsafe(`set deadlock_timeout = '1h'; begin; insert into public.things values (1)`)
  const { seen, reached, onWait } = waits(1)
  const migrating = migrate(at.db, { folder, onWait: wait => wait.attempt > 0 && onWait(wait) })
  const index = () => at.admin`
    select indisvalid as valid from pg_index where indexrelid = to_regclass('public.ix_things')`
  await eventually(index).toHaveLength(1)
  await client`lock table public.things in share update exclusive mode`
  await reached(migrating)
  expect(seen[0]?.message).toContain('deadlock detected')
  expect(await index()).toEqual([{ valid: false }])
  await client`commit`
  expect((await migrating).applied).toHaveLength(1)
  expect(await index()).toEqual([{ valid: true }])
})

test('without its online script, an index on a large table is refused rather than built while writers wait', async () => {
  const at = await ownDatabase('baseline of 10 users and 40 memories')
  await migrate(at.db, { to: 'check_memory_type' })
  await at.admin`alter table public.memories set (fillfactor = 10)`
  await at.admin`
    insert into public.memories (user_id, memory_type, content, status)
    select id, 'user', repeat('x', 700), 'active' from public.profiles, generate_series(1, 500)`
  const before = await stateOf(at, ['drizzle'])
  const alone = drizzle({ client: ownClient(at.url) })
  await expect(migrate(alone)).rejects.toMatchObject({
    sqlState: '55000',
    message: expect.stringContaining('ix_memories_user_id_memory_type_status is missing'),
  })
  expect(await stateOf(at, ['drizzle'])).toEqual(before)
  expect((await migrate(at.db)).applied).toHaveLength(namesAfter('check_memory_type').length)
  // And so on the way down.
  await rollback(at.db, { to: 'drop_agent_id_constraints' })
  await expect(rollback(alone)).rejects.toMatchObject({
    sqlState: '55000',
    message: expect.stringContaining('ix_memories_agent_type_status is missing'),
  })
  expect((await rollback(at.db)).undone).toHaveLength(1)
})
