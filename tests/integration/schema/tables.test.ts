import { pushSchema } from 'drizzle-kit/api-postgres'
import type { SQL } from 'drizzle-orm'
import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { expect, test } from 'vitest'
import * as schema from '../../../src/schema.ts'
import { sharedDatabase } from '../../support/database.ts'

const database = sharedDatabase('today')

/** What drizzle-kit would run to make the database what src/schema says; it expects rows as another driver gives them. */
async function missing(): Promise<string[]> {
  const driver = { execute: async (query: SQL) => ({ rows: await database.db.execute(query) }) }
  const { sqlStatements } = await pushSchema(schema, driver as never, {
    schemas: ['public'],
    tables: undefined,
    entities: undefined,
    extensions: undefined,
  })
  return sqlStatements
}

test('the database is what src/schema says: tables, columns, constraints, indexes and policies', async () => {
  expect(await missing()).toEqual([])
})

test('what is otherwise in the database would be noticed', async () => {
  await database.sql.unsafe(`
    alter table public.memories drop constraint chk_memories_memory_type;
    alter table public.llms alter column status drop not null;
    alter table public.profiles alter column settings set default '{}';
    drop index public.ix_system_agents_llm_id;
    drop policy anon_select_llms on public.llms`)
  const statements = (await missing()).join('\n')
  for (const name of [
    'chk_memories_memory_type',
    '"status" SET NOT NULL',
    '"settings" SET DEFAULT',
    'ix_system_agents_llm_id',
    'anon_select_llms',
  ]) {
    expect(statements).toContain(name)
  }
})

test('every foreign key in src/schema says what a deletion does', () => {
  const tables = Object.values(schema).filter(value => is(value, PgTable))
  const keys = tables.flatMap(table => getTableConfig(table).foreignKeys)
  expect(keys).not.toEqual([])
  expect(keys.filter(key => key.onDelete === undefined).map(key => key.getName())).toEqual([])
})
