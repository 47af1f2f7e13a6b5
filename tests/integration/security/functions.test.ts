import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { commitPoints, reach } from '../../support/migrations.ts'
import { DEPLOYER } from '../../support/templates.ts'

/** These write where whoever sets them off has no rights. */
const definers = [
  'archive.fill_memory_agent()',
  'archive.keep_memory_agent()',
  'archive.keep_no_user_agent()',
  'archive.keep_user_agent()',
  'public.create_profile_for_new_user()',
]

describe('at every commit point', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase('stub_old')
  })
  afterAll(() => database.drop())

  describe.each(commitPoints)('$way to $at', point => {
    beforeAll(() => reach(database.db, point))

    test('the sign-up function is there, and every function of ours has a search_path that is empty', async () => {
      const found = await functions(database)
      expect(found.map(({ name }) => name)).toContain('public.create_profile_for_new_user()')
      expect(found.filter(({ settings }) => settings !== 'search_path=""')).toEqual([])
    })

    test('it runs with its owner’s rights where it writes for somebody without, and nowhere else', async () => {
      for (const { name, definer } of await functions(database)) {
        expect({ name, definer }).toEqual({ name, definer: definers.includes(name) })
      }
    })

    test('no function belongs to a superuser', async () => {
      const found = await functions(database)
      expect(found.filter(({ owner, superuser }) => superuser || owner !== DEPLOYER.role)).toEqual([])
    })

    test.each(['public', 'anon', 'authenticated', 'service_role'])('%s may call none of them', async role => {
      const found = await functions(database)
      const callable = async (who: string) =>
        (
          await database.sql`
            select from unnest(${found.map(({ oid }) => oid)}::oid[]) as f (oid)
             where has_function_privilege(${who}::name, f.oid, 'execute')`
        ).count
      expect(await callable(DEPLOYER.role)).toBe(found.length)
      expect(await callable(role)).toBe(0)
    })
  })
})

describe.each(['expanded', 'contracted', 'today'])('in the state %s', state => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase(state)
  })
  afterAll(() => database.drop())

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

async function functions({ sql }: TestDatabase) {
  return await sql<
    { oid: number; name: string; definer: boolean; settings: string; owner: string; superuser: boolean }[]
  >`
    select p.oid,
           pronamespace::regnamespace || '.' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
           prosecdef as definer,
           array_to_string(proconfig, ',') as settings,
           rolname as owner,
           rolsuper as superuser
      from pg_proc p
      join pg_roles r on r.oid = proowner
     where pronamespace in (select oid from pg_namespace where nspname in ('public', 'archive'))
     order by 2`
}
