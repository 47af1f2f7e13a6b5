import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { adopt, MigrationError } from '../../../src/migrate.ts'
import { sharedDatabase, undone } from '../../support/database.ts'
import { baseline, named } from '../../support/migrations.ts'
import { placeOfLedger } from '../../support/rows.ts'
import { readCases } from '../../support/sql-cases.ts'

const at = sharedDatabase('built')
const cases = readCases(new URL('near-misses.sql', import.meta.url))
const ofGroup = (name: string) => cases.filter(([, { group }]) => group === name)

test.for(ofGroup('refused'))('%s: refused, named, and nothing is written', async ([, miss]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(miss.sql))
    const error = await adopt(tx).catch(error => error)
    expect(error).toBeInstanceOf(MigrationError)
    expect(error.code).toBe('NOT_ADOPTABLE')
    // The difference and what follows from it, but nothing of what would be replaced.
    const [nearest, ...differences] = error.message.split('\n')
    expect(nearest).toContain(`The closest is ${named(baseline)}, with these differences:`)
    expect(differences.pop()).toMatch(/^Correct these, .* Nothing was recorded\.$/)
    expect(differences.map((line: string) => line.trim())).toEqual(miss.says)
    expect(await placeOfLedger(tx)).toEqual([{ schema: null, ledger: null }])
  })
})

test.for(ofGroup('adopted all the same'))('%s: adopted all the same', async ([, { sql: change }]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(change))
    expect(await adopt(tx)).toMatchObject({ at: named(baseline), recorded: { length: 2 } })
  })
})
