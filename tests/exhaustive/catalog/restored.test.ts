import type postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { findDrift } from '../../../src/catalog/check.ts'
import { project } from '../../../src/platform/project.ts'
import { sharedDatabase } from '../../support/database.ts'
import { catalogs, commitPoints, named, reach } from '../../support/migrations.ts'
import { restore } from '../../support/restore.ts'
import { sample } from '../../support/sample.ts'

const database = sharedDatabase('stub_old')

const checks = (admin: postgres.Sql) => admin`
  select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as is
    from pg_constraint
   where contype = 'c' and connamespace = 'public'::regnamespace and conrelid <> 0
   order by 1, 2`

describe('after a dump and restore, check finds nothing but what is wrong', () => {
  test.each(sample('restored', commitPoints, 2))('$way to $at', async point => {
    await reach(database.db, point)
    const copy = await restore(database)
    const drift = async () => (await findDrift(copy.db, project(), named(point.at), catalogs)).differences
    expect(await checks(copy.admin)).not.toEqual(await checks(database.admin))
    expect(await drift()).toEqual([])

    await copy.admin`alter policy anon_select_llms on public.llms using (true)`
    expect(await drift()).toMatchObject([{ fact: 'policy anon_select_llms' }])
  })
})
