import { expect, test } from 'vitest'
import { createDatabase } from '../../support/database.ts'

/** The foreign keys of ours, and of them those that no valid index begins with the columns of. */
async function foreignKeys(state: string): Promise<{ all: string[]; withoutIndex: string[] }> {
  const { sql, drop } = await createDatabase(state)
  try {
    const keys = await sql<{ name: string; indexed: boolean }[]>`
      select conrelid::regclass || ' ' || conname as name,
             exists (select from pg_index
                      where indrelid = conrelid and indisvalid and indpred is null
                        and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey) as indexed
        from pg_constraint
       where contype = 'f'
         and connamespace in (select oid from pg_namespace where nspname in ('public', 'archive'))
       order by 1`
    return {
      all: keys.map(key => key.name),
      withoutIndex: keys.filter(key => !key.indexed).map(key => key.name),
    }
  } finally {
    await drop()
  }
}

test('every foreign key of today has an index, in public and in archive', async () => {
  const { all, withoutIndex } = await foreignKeys('today')
  expect(all).toEqual([
    'archive.memory_agents fk_memory_agents_memory_id',
    'archive.profile_settings fk_profile_settings_profile_id',
    'archive.profiles fk_profiles_id',
    'archive.system_agents fk_system_agents_llm_id',
    'archive.user_agents fk_user_agents_created_by',
    'archive.user_agents fk_user_agents_updated_by',
    'archive.user_agents fk_user_agents_user_id',
    'memories fk_memories_user_id',
    'profiles fk_profiles_id',
    'system_agents fk_system_agents_llm_id',
  ])
  expect(withoutIndex).toEqual([])
})

test('the baseline, which is as it was, lacks some', async () => {
  const { withoutIndex } = await foreignKeys('baseline')
  expect(withoutIndex).toEqual([
    'memories fk_memories_user_id',
    'user_agent_catalog fk_user_agent_catalog_llm_id',
    'user_agents fk_user_agents_created_by',
    'user_agents fk_user_agents_llm_id',
    'user_agents fk_user_agents_updated_by',
  ])
})
