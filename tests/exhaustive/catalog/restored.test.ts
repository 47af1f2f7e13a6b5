import { describe, expect, test } from 'vitest'
import { findDrift } from '../../../src/catalog/check.ts'
import { project } from '../../../src/platform/project.ts'
import { sharedDatabase } from '../../support/database.ts'
import { catalogs, commitPoints, named, reach } from '../../support/migrations.ts'
import { checksIn, restore } from '../../support/restore.ts'
import { sample } from '../../support/sample.ts'

const database = sharedDatabase('stub_old')

describe('after a dump and restore, check finds nothing but what is wrong', () => {
  test.each(sample('restored', commitPoints, 2))('$way to $at', async point => {
    await reach(database.db, point)
    const copy = await restore(database)
    const drift = async () => (await findDrift(copy.db, project(), named(point.at), catalogs)).differences
    expect(await checksIn(copy)).not.toEqual(await checksIn(database))
    expect(await drift()).toEqual([])

    await copy.admin`alter policy anon_select_llms on public.llms using (true)`
    expect(await drift()).toMatchObject([{ fact: 'policy anon_select_llms' }])
  })
})
