import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { migrate, rollback, type Wait } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { createDatabase, ownDatabase } from '../../support/database.ts'
import { folderOf } from '../../support/folder.ts'
import { namesAfter } from '../../support/migrations.ts'
import { fill, readRows } from '../../support/rows.ts'
import { connect } from '../../support/templates.ts'

test('migrators that wait for their turn do not keep an index from being built concurrently', async () => {
  const database = await createDatabase('baseline')
  const pools = Array.from({ length: 4 }, () => connect(database.url, { max: 2 }))
  const all = <T>(work: (db: ReturnType<typeof drizzle>) => Promise<T>) =>
    Promise.all(pools.map(pool => work(drizzle({ client: pool }))))
  try {
    await fill(database.admin, { users: 40, memories: 200 })
    const before = { catalog: await readCatalog(database.admin), rows: await readRows(database.admin) }
    // Both ways build an index concurrently, while three others wait.
    const up = await all(db => migrate(db))
    expect(up.flatMap(report => report.applied)).toHaveLength(namesAfter('secure_the_agent_tables').length)
    const down = await all(db => rollback(db, { to: 'secure_the_agent_tables' }))
    expect(down.flatMap(report => report.undone)).toHaveLength(namesAfter('secure_the_agent_tables').length)
    expect({ catalog: await readCatalog(database.admin), rows: await readRows(database.admin) }).toEqual(
      before,
    )
  } finally {
    await Promise.all(pools.map(pool => pool.end({ timeout: 1 })))
    await database.drop()
  }
})

test('a pool of one connection is migrated without the online parts, to the same catalog', async () => {
  const [one, two] = [await createDatabase('baseline'), await createDatabase('baseline')]
  const [single, double] = [connect(one.url, { max: 1 }), connect(two.url, { max: 2 })]
  try {
    await migrate(drizzle({ client: single }))
    await migrate(drizzle({ client: double }))
    expect(await readCatalog(one.admin)).toEqual(await readCatalog(two.admin))
  } finally {
    await Promise.all([single.end(), double.end()])
    await Promise.all([one.drop(), two.drop()])
  }
})

test('what commits by itself runs outside a transaction, everything else in one with our lock timeout', async () => {
  const database = await ownDatabase('stub_old')
  const folder = await folderOf({
    '20260101000000_begin': {
      'migration.sql': 'create table public.seen (statement text, lock_timeout text);',
    },
    '20260102000000_go_on': {
      'migration.sql': 'select 1;',
      'online.sql': [
        "insert into public.seen values ('plain', current_setting('lock_timeout'));",
        "-- No commit, and nothing concurrently.\ninsert into public.seen values ('comment', current_setting('lock_timeout'));",
        "do $$\nbegin\n  insert into public.seen values ('block', current_setting('lock_timeout'));\n  commit;\nend;\n$$;",
        'create index concurrently seen_statement on public.seen (statement);',
      ].join('\n--> statement-breakpoint\n'),
    },
  })
  await migrate(database.db, { folder, lockTimeout: 77 })
  expect(await database.sql`select * from public.seen order by statement`).toEqual([
    { statement: 'block', lock_timeout: '0' },
    { statement: 'comment', lock_timeout: '77ms' },
    { statement: 'plain', lock_timeout: '77ms' },
  ])
})

test.for([
  { options: {}, timeout: '100ms' },
  { options: { lockTimeout: 77 }, timeout: '77ms' },
])('a lock is waited for $timeout with $options', async ({ options, timeout }) => {
  const at = await ownDatabase('stub_old')
  const folder = await folderOf({
    '20260101000000_begin': {
      'migration.sql': "create table public.seen as select current_setting('lock_timeout') as lock_timeout",
    },
  })
  await migrate(at.db, { folder, ...options })
  expect(await at.sql`select lock_timeout from public.seen`).toEqual([{ lock_timeout: timeout }])
})

test('limits of the server on how long a transaction may last do not end a step that waits for its online part', async () => {
  const { db, admin, name, url } = await ownDatabase('stub_old')
  // The second one came with PostgreSQL 17.
  const limits = await admin`
    select name from pg_settings where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`
  for (const limit of limits) await admin.unsafe(`alter database ${name} set ${limit.name} = '1s'`)
  const lasting = 'do $$ begin for i in 1..3 loop perform pg_sleep(0.6); commit; end loop; end $$;'
  const folder = await folderOf({
    '20260101000000_begin': { 'online.sql': lasting, 'migration.sql': 'create table public.made ();' },
  })
  const limited = connect(url, { max: 2 })
  expect((await migrate(drizzle({ client: limited }), { folder })).applied).toHaveLength(1)
  await limited.end()
  await db.execute('select from public.made')
})

test('an index that waits for older transactions to end says for whom, and is built once they have', async () => {
  const at = await ownDatabase('baseline')
  await fill(at.admin, { users: 10, memories: 40 })
  await migrate(at.db, { to: 'secure_system_agents' })
  const older = connect(at.url, { max: 1, connection: { application_name: 'older' } })
  const seen: Wait[] = []
  let told = () => {}
  const telling = new Promise<void>(resolve => {
    told = resolve
  })
  const { migrating, pid } = await older.begin(async tx => {
    const [self] = await tx`select pg_backend_pid() as pid, count(*) from public.memories`
    const migrating = migrate(at.db, {
      to: 'harden_the_tables',
      onWait: wait => {
        seen.push(wait)
        told()
      },
    })
    await telling
    return { migrating, pid: self?.pid }
  })
  expect((await migrating).applied).toHaveLength(1)
  expect(seen[0]).toEqual({
    message: expect.stringMatching(
      new RegExp(
        `_harden_the_tables/online\\.sql: statement 3 of \\d+, line \\d+: waits for older transactions, and blocks nobody\\nblocked by: pid ${pid}, application older, `,
      ),
    ),
    attempt: 0,
  })
  await older.end()
})
