import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
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
