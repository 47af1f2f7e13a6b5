import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog, stateOf } from '../../support/catalog.ts'
import { hold, ownClient, waits } from '../../support/client.ts'
import { ownDatabase } from '../../support/database.ts'
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
