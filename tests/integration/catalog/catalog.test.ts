import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCatalogs } from '../../../src/catalog/files.ts'
import { readCatalog } from '../../../src/catalog/read.ts'
import { packagedMigrations } from '../../../src/migrate.ts'
import { project } from '../../../src/platform/project.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { commitPoints, hasReached, names as migrations, reach } from '../../support/migrations.ts'

const { scope } = project()
const catalogs = readCatalogs(packagedMigrations())
const catalogOf = (at: string) => catalogs.get(migrations.find(name => name.endsWith(`_${at}`))!)!

test('every migration has its catalog.json, and no two that follow each other say the same but where rows alone move', () => {
  expect([...catalogs.keys()]).toEqual(migrations)
  const unchanged = migrations.filter(
    (name, i) => JSON.stringify(catalogs.get(name)) === JSON.stringify(catalogs.get(migrations[i - 1] ?? '')),
  )
  expect(unchanged).toEqual(migrations.filter(name => name.endsWith('_archive_what_users_own')))
})

describe.each(['stub_old', 'stub_new'])('over the default grants of %s', template => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase(template)
  })
  afterAll(() => database.drop())

  test.each(commitPoints)('$way to $at: the database is what its catalog.json says', async point => {
    await reach(database.db, point)
    expect(await readCatalog(database.db, scope)).toEqual(catalogOf(point.at))
  })
})

describe('where a system agent waits in archive on the way down', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase('today')
    await database.admin`
      with model as (
        insert into public.llms (model_code, provider, display_name, status) values ('m', 'p', 'M', 'active') returning id
      )
      insert into public.system_agents (agent_type, llm_id, status) select 'PLANNING', id, 'active' from model`
  })
  afterAll(() => database.drop())

  const beforeArchiving = commitPoints.filter(
    point => point.way === 'down' && !hasReached(point, 'serve_both_applications'),
  )
  test.each(beforeArchiving)(
    'down to $at: what catalog.json says, and the table it waits in',
    async point => {
      await reach(database.db, point)
      const today = catalogOf('harden_the_tables')
      const waiting = ['schema archive', 'table archive.system_agents']
      expect(await readCatalog(database.db, scope)).toEqual({
        ...Object.fromEntries(waiting.map(object => [object, today[object]])),
        ...catalogOf(point.at),
      })
    },
  )
})

test('a role that may do nothing reads the same, and whoever lends a transaction has its settings back', async () => {
  const { admin, db, drop } = await createDatabase('today')
  try {
    const settings = sql`
      select name, setting from pg_settings where name in ('search_path', 'quote_all_identifiers') order by name`
    const found = await drizzle({ client: admin }).transaction(async tx => {
      await tx.execute(sql`set local role pg_signal_backend`)
      await tx.execute(sql`set local search_path = elsewhere, public`)
      await tx.execute(sql`set local quote_all_identifiers = on`)
      expect(await tx.execute(sql`select has_schema_privilege('auth', 'usage') as may`)).toEqual([
        { may: false },
      ])
      const before = await tx.execute(settings)
      const catalog = await readCatalog(tx, scope)
      expect(await tx.execute(settings)).toEqual(before)
      return catalog
    })
    expect(found).toEqual(await readCatalog(db, scope))
  } finally {
    await drop()
  }
})
