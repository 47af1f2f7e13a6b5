import { expect, test } from 'vitest'
import { check, migrate, rollback } from '../../../src/migrate.ts'
import { ownDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'

test('beside a migrator that goes up and down, check finds no drift and never fails', async () => {
  const { db } = await ownDatabase('baseline of 20 users and 60 memories')
  let moving = true
  const checks = (async () => {
    let count = 0
    for (; moving; count++) {
      const { differences, ledger, probes } = await check(db)
      expect({ differences, ledger }).toEqual({ differences: [], ledger: [] })
      expect(probes.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    }
    return count
  })()
  try {
    for (let turn = 0; turn < 3; turn++) {
      await migrate(db)
      await rollback(db, { to: baseline })
    }
  } finally {
    moving = false
  }
  expect(await checks).toBeGreaterThan(3)
})
