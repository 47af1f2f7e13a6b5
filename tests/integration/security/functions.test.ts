import { describe, expect, test } from 'vitest'
import { sharedDatabase } from '../../support/database.ts'

// That every function has an empty search_path, and who may call it, is proven in the unit test security/catalogs.

describe.each(['expanded', 'contracted', 'today'])('in the state %s', state => {
  const database = sharedDatabase(state)

  test('a call as service_role is refused, and the owner’s goes through', async () => {
    await database.sql.begin(async tx => {
      await tx`select archive.repair_settings()`
      // Usage of the schema alone must not be enough.
      await tx`grant usage on schema archive to service_role`
      await tx`set local role service_role`
      await expect(tx.savepoint(sp => sp`select archive.repair_settings()`)).rejects.toMatchObject({
        code: '42501',
        message: expect.stringContaining('function repair_settings'),
      })
    })
  })
})
