import { sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { beforeAll, describe, expect, test } from 'vitest'
import { findDrift, readProject } from '../../../src/catalog/check.ts'
import type { Difference } from '../../../src/catalog/compare.ts'
import type { Catalog } from '../../../src/catalog/read.ts'
import { project } from '../../../src/platform/project.ts'
import { sharedDatabase, undone } from '../../support/database.ts'
import { catalogs, last, named } from '../../support/migrations.ts'
import { readCases } from '../../support/sql-cases.ts'

const mutations = readCases(new URL('mutations.sql', import.meta.url))
const today = sharedDatabase('today')
const expanded = sharedDatabase('expanded')

describe.each([...new Set(mutations.map(([, { group }]) => group))])('%s, check finds and names', group => {
  const whileBothWork = group === 'while both applications work'
  const at = whileBothWork ? named('add_agent_prompts') : last
  let db: PostgresJsDatabase
  beforeAll(async () => {
    db = drizzle({ client: (whileBothWork ? expanded : today).admin })
    expect((await findDrift(db, project(), at, catalogs)).differences).toEqual([])
  })

  test.for(mutations.filter(([, mutation]) => mutation.group === group))('%s', async ([, mutation]) => {
    let found: Difference[] = []
    await undone(db, async tx => {
      await tx.execute(sql.raw(mutation.sql))
      found = (await findDrift(tx, project(), at, catalogs)).differences
      expectFacts(found, catalogs.get(at)!, await readProject(tx, project(), catalogs))
    })
    const sentences = found.map(({ message }) => message.replaceAll(/\s+/g, ' '))
    expect(sentences.sort()).toEqual(mutation.says.sort())
  })
})

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
