import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../../src/catalog/read.ts'
import { project } from '../../../src/platform/project.ts'
import { ownDatabase, sharedDatabase } from '../../support/database.ts'
import {
  catalogAfter,
  catalogs,
  commitPoints,
  hasReached,
  last,
  named,
  names,
  reach,
} from '../../support/migrations.ts'
import { addAgentOfNewType } from '../../support/rows.ts'

const { scope } = project()

test('every migration has its catalog.json, and two in a row say the same only where rows alone move', () => {
  expect([...catalogs.keys()]).toEqual(names)
  const unchanged = names.filter(
    (name, i) => JSON.stringify(catalogs.get(name)) === JSON.stringify(catalogs.get(names[i - 1] ?? '')),
  )
  expect(unchanged).toEqual(['archive_user_agents', 'add_agent_prompts'].map(named))
})

describe.each(['stub_old', 'stub_new'])('over the default grants of %s', template => {
  const database = sharedDatabase(template)

  test.each(commitPoints)('$way to $at: the database is what its catalog.json says', async point => {
    await reach(database.db, point)
    expect(await readCatalog(database.db, scope)).toEqual(catalogAfter(point.at))
  })
})

describe('where a system agent waits in archive on the way down', () => {
  const database = sharedDatabase('today', ({ admin }) => addAgentOfNewType(admin))

  const beforeArchiving = commitPoints.filter(
    point => point.way === 'down' && !hasReached(point, 'serve_both_applications'),
  )
  test.each(beforeArchiving)(
    'down to $at: what catalog.json says, and the table it waits in',
    async point => {
      await reach(database.db, point)
      const waiting = ['schema archive', 'table archive.system_agents']
      expect(await readCatalog(database.db, scope)).toEqual({
        ...Object.fromEntries(waiting.map(object => [object, catalogs.get(last)![object]])),
        ...catalogAfter(point.at),
      })
    },
  )
})

test('a role that may do nothing reads the same, and whoever lends a transaction has its settings back', async () => {
  const { admin, db } = await ownDatabase('today')
  const settings = sql`
    select name, setting from pg_settings where name in ('search_path', 'quote_all_identifiers') order by name`
  await drizzle({ client: admin }).transaction(async tx => {
    await tx.execute(sql`set local role pg_signal_backend`)
    await tx.execute(sql`set local search_path = elsewhere, public`)
    await tx.execute(sql`set local quote_all_identifiers = on`)
    const may = await tx.execute(sql`select has_schema_privilege('auth', 'usage') as may`)
    expect(may).toEqual([{ may: false }])
    const before = await tx.execute(settings)
    expect(await readCatalog(tx, scope)).toEqual(await readCatalog(db, scope))
    expect(await tx.execute(settings)).toEqual(before)
  })
})
