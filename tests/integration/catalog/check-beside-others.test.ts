import { expect, test } from 'vitest'
import { check } from '../../../src/migrate.ts'
import { ownDatabase } from '../../support/database.ts'
import { upAndDown } from '../../support/migrations.ts'

test('beside a migrator that goes up and down, check finds no drift and never fails', async () => {
  const { db } = await ownDatabase('baseline of 20 users and 60 memories')
  const checks = await upAndDown(db, async () => {
    const { differences, ledger, probes } = await check(db)
    expect({ differences, ledger }).toEqual({ differences: [], ledger: [] })
    expect(probes.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  })
  expect(checks).toBeGreaterThan(3)
})
