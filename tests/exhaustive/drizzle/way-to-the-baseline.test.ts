import { expect, test } from 'vitest'
import { rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { baseline, pointsSince, reach } from '../../support/migrations.ts'
import { readRows } from '../../support/rows.ts'
import { sample } from '../../support/sample.ts'

const read = async ({ admin }: TestDatabase) => ({
  rows: await readRows(admin),
  catalog: await readCatalog(admin),
})

test.for(sample('way to the baseline', pointsSince, 1))(
  'from $at on the way $way, a rollback to the baseline restores every row and the schema',
  async point => {
    const database = await ownDatabase('baseline of 100 users and 500 memories')
    const before = await read(database)
    await reach(database.db, point)
    await rollback(database.db, { to: baseline })
    expect(await read(database)).toEqual(before)
  },
)
