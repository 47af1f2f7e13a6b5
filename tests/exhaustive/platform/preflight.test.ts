import { expect, test } from 'vitest'
import { type MigrationError, migrate, planMigration } from '../../../src/migrate.ts'
import { stateOf } from '../../support/catalog.ts'
import { databaseForEach } from '../../support/database.ts'
import { named } from '../../support/migrations.ts'
import { obstacles, unnamed } from '../../support/obstacles.ts'
import { sample } from '../../support/sample.ts'

const at = databaseForEach('baseline of 20 users and 60 memories')

test.each(sample('obstacles', Object.entries(obstacles), 2))(
  '%s stops a migration before anything runs, and is named',
  async (_, [make, finds]) => {
    await at.admin.unsafe(make)
    const before = await stateOf(at)
    const error: MigrationError = await migrate(at.db).catch(error => error)
    expect(error.code).toBe('BLOCKED')
    expect(error.message.split('\n').map(line => unnamed(line.trim()))).toContain(finds)
    expect(error.message).toContain('Nothing was run.')
    expect(await stateOf(at)).toEqual(before)
    const { findings } = await planMigration(at.db)
    expect(findings).toEqual(error.findings)
    expect(findings.map(({ migration }) => migration)).toContain(named('rename_catalog_and_drop_user_agents'))
  },
)
