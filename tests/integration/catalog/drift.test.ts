import { sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findDrift } from '../../../src/catalog/check.ts'
import type { Difference } from '../../../src/catalog/compare.ts'
import { readCatalogs } from '../../../src/catalog/files.ts'
import type { Database } from '../../../src/database.ts'
import { packagedMigrations } from '../../../src/migrate.ts'
import { project } from '../../../src/platform/project.ts'
import { createDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { last } from '../../support/migrations.ts'
import { groups } from './mutations.ts'

const catalogs = readCatalogs(packagedMigrations())

type Place = Pick<Difference, 'object' | 'fact'>

/** Does it, hands over what `check` finds then and the rows that each difference's own query shows, and undoes it. */
async function tryOut(db: PostgresJsDatabase, at: string, by: string) {
  let found: { differences: Difference[]; shown: unknown[][] } = { differences: [], shown: [] }
  await undone(db, async tx => {
    await tx.execute(sql.raw(by))
    const differences = await findDrift(tx, project(), at, catalogs)
    found = { differences, shown: await show(tx, differences) }
  })
  return found
}

async function show(db: Database, differences: Difference[]): Promise<unknown[][]> {
  const shown = []
  for (const difference of differences)
    shown.push([...(await db.execute(sql.raw(difference.sql), 'objects'))])
  return shown
}

const states: Record<string, string> = { today: last, expanded: 'archive_what_users_own' }

const byPlace = (a: Place, b: Place) => (`${a.object} ${a.fact}` < `${b.object} ${b.fact}` ? -1 : 1)

const databases = new Map<string, TestDatabase>()
beforeAll(async () => {
  for (const state of Object.keys(states)) databases.set(state, await createDatabase(state))
})
afterAll(async () => {
  for (const database of databases.values()) await database.drop()
})

describe.each(groups)('%s, check finds, names and shows', (_, state, mutations) => {
  const at = [...catalogs.keys()].find(name => name.endsWith(states[state]!))!
  let db: PostgresJsDatabase
  beforeAll(async () => {
    db = drizzle({ client: databases.get(state)!.admin })
    expect(await findDrift(db, project(), at, catalogs)).toEqual([])
  })

  test.for(mutations.map(mutation => [mutation.what, mutation] as const))(
    '%s',
    async ([, { by, differences }]) => {
      const { differences: found, shown } = await tryOut(db, at, by)
      expect(found.map(({ sql: _, ...told }) => told).sort(byPlace)).toEqual(differences.toSorted(byPlace))
      const unspoilt = await show(db, found)
      for (const [i, difference] of found.entries()) {
        expect(shown[i], difference.sql).not.toEqual(unspoilt[i])
        // Where the object is there, its query shows something of it, if only what is left of its kind.
        expect([...shown[i]!, ...unspoilt[i]!], difference.sql).not.toEqual([])
      }
    },
  )
})
