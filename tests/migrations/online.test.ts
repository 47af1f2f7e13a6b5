import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, onTestFinished, test } from 'vitest'
import { migrate, rollback } from '../../src/migrations/index.ts'
import { readCatalog } from '../support/catalog.ts'
import { createDatabase } from '../support/database.ts'
import { fill, readRows } from '../support/rows.ts'
import { connect } from '../support/templates.ts'

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
    expect(up.flatMap(report => report.applied)).toHaveLength(6)
    const down = await all(db => rollback(db, { to: 'secure_the_agent_tables' }))
    expect(down.flatMap(report => report.undone)).toHaveLength(6)
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
    expect(await readCatalog(one.admin, { archive: true })).toEqual(
      await readCatalog(two.admin, { archive: true }),
    )
  } finally {
    await Promise.all([single.end(), double.end()])
    await Promise.all([one.drop(), two.drop()])
  }
})

test('what commits by itself runs outside a transaction, everything else in one with our lock timeout', async () => {
  const database = await createDatabase('standin_old')
  const folder = await mkdtemp(join(tmpdir(), 'agents-db-migrations-'))
  onTestFinished(async () => {
    await database.drop()
    await rm(folder, { recursive: true })
  })
  const files = {
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
  }
  for (const [name, texts] of Object.entries(files)) {
    await mkdir(join(folder, name))
    for (const [file, text] of Object.entries(texts)) await writeFile(join(folder, name, file), text)
  }
  await migrate(database.db, { folder, lockTimeout: 77 })
  expect(await database.sql`select * from public.seen order by statement`).toEqual([
    { statement: 'block', lock_timeout: '0' },
    { statement: 'comment', lock_timeout: '77ms' },
    { statement: 'plain', lock_timeout: '77ms' },
  ])
})
