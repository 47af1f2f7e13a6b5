import { sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { beforeAll, describe, expect, test } from 'vitest'
import { findDrift, readProject } from '../../../src/catalog/check.ts'
import type { Difference } from '../../../src/catalog/compare.ts'
import type { Catalog } from '../../../src/catalog/read.ts'
import type { Database } from '../../../src/database.ts'
import { project } from '../../../src/platform/project.ts'
import { sharedDatabase, undone } from '../../support/database.ts'
import { catalogs, last, named } from '../../support/migrations.ts'
import { readCases } from '../../support/sql-cases.ts'

const mutations = readCases(new URL('mutations.sql', import.meta.url))
const today = sharedDatabase('today')
const expanded = sharedDatabase('expanded')

describe.each([...new Set(mutations.map(([, { group }]) => group))])(
  '%s, check finds, names and shows',
  group => {
    const whileBothWork = group === 'while both applications work'
    const at = whileBothWork ? named('add_agent_prompts') : last
    let db: PostgresJsDatabase
    beforeAll(async () => {
      db = drizzle({ client: (whileBothWork ? expanded : today).admin })
      expect((await findDrift(db, project(), at, catalogs)).differences).toEqual([])
    })

    test.for(mutations.filter(([, mutation]) => mutation.group === group))('%s', async ([, mutation]) => {
      let found: Difference[] = []
      let shown: unknown[][] = []
      await undone(db, async tx => {
        await tx.execute(sql.raw(mutation.sql))
        found = (await findDrift(tx, project(), at, catalogs)).differences
        shown = await show(tx, found)
        expectFacts(found, catalogs.get(at)!, await readProject(tx, project(), catalogs))
      })
      const sentences = found.map(({ message }) => message.replaceAll(/\s+/g, ' '))
      expect(sentences.sort()).toEqual(mutation.says.sort())

      const unspoilt = await show(db, found)
      for (const [i, difference] of found.entries()) {
        expect(shown[i], difference.sql).not.toEqual(unspoilt[i])
        // Where the object is there, its query shows something of it, if only what is left of its kind.
        expect([...shown[i]!, ...unspoilt[i]!], difference.sql).not.toEqual([])
      }
    })
  },
)

/** The rows that each difference's own query shows. */
async function show(db: Database, differences: Difference[]): Promise<unknown[][]> {
  const shown = []
  for (const { sql: query } of differences) shown.push([...(await db.execute(sql.raw(query), 'objects'))])
  return shown
}

/** Each difference tells what catalog.json says and what the database says; of something renamed, its name. */
function expectFacts(differences: Difference[], expected: Catalog, found: Catalog): void {
  for (const { object, fact, message, ...told } of differences) {
    const [should, is] = [expected[object], found[object]]
    if (fact === null) expect(told).toMatchObject({ expected: should ? '' : null, found: is ? '' : null })
    else {
      expect(told.expected).toBe(should?.[fact] ?? null)
      if (!message.includes(' is called ')) expect(told.found).toBe(is?.[fact] ?? null)
      else expect([is?.[fact], is?.[told.found!]]).toEqual([undefined, told.expected])
    }
  }
}
