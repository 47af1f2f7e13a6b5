import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import * as schema from '../../../src/schema.ts'
import { ownDatabase, sharedDatabase, signUp, type TestDatabase, undoneIn } from '../../support/database.ts'

const longAgo = '2020-02-02 02:02:02.020202+00'
const later = '2030-03-03 03:03:03.030303+00'

/** Expressions that change a column, by its type; and for those columns that do not take just any value. */
const byType: Record<string, string> = {
  text: `$ || ' '`,
  varchar: `$ || ' '`,
  jsonb: `$ || '{"other": true}'`,
  timestamp: `$ + interval '1 microsecond'`,
}
const byName: Record<string, string> = {
  'system_agents.llm_id': `(select id from public.llms where model_code = 'spare')`,
  'system_agents.status': `'inactive'`,
  'memories.user_id': `(select id from auth.users where email = 'spare@example.test')`,
  'memories.memory_type': `'work'`,
}

const tables = Object.values(schema)
  .filter(value => is(value, PgTable))
  .map(getTableConfig)
  .map(({ name: table, columns }) => ({
    table,
    changes: columns
      .filter(({ name }) => !['id', 'updated_at'].includes(name))
      .map(({ name, columnType }): [column: string, change: string] => {
        const change = byName[`${table}.${name}`] ?? byType[columnType.replace(/^Pg/, '').toLowerCase()]
        if (!change) throw new Error(`how does ${table}.${name} change?`)
        return [name, change.replace('$', name)]
      }),
  }))

const database = sharedDatabase('today', populate)

describe.each(tables)('$table', ({ table, changes }) => {
  /** When the rows were last changed, once `work` is done, which is then undone. */
  const timeAfter = async (work: (tx: postgres.TransactionSql) => Promise<unknown>) => {
    let at = ''
    await undoneIn(database.sql, async tx => {
      await work(tx)
      at = await updatedAt(tx, table)
    })
    return at
  }

  test('an insert says for itself when the row was last changed', async () => {
    expect(await timeAfter(async () => {})).toBe(longAgo)
  })

  test.each(changes)(
    'a change of %s sets it to now, an update to what it is does not',
    async (column, change) => {
      expect(await timeAfter(tx => tx.unsafe(`update public.${table} set ${column} = ${change}`))).toBe('now')
      expect(await timeAfter(tx => tx.unsafe(`update public.${table} set ${column} = ${column}`))).toBe(
        longAgo,
      )
    },
  )

  test('a change under another time sets it to now all the same, another time alone is ignored', async () => {
    const [column, change] = changes[0]!
    for (const claimed of [longAgo, later, null]) {
      const set = `update public.${table} set ${column} = ${change}, updated_at = $1`
      expect(await timeAfter(tx => tx.unsafe(set, [claimed]))).toBe('now')
    }
    expect(await timeAfter(tx => tx`update public.${tx(table)} set updated_at = ${later}`)).toBe(longAgo)
  })

  test('an upsert of the same row leaves it, of another one sets it to now', async () => {
    const copy = `insert into public.${table} select * from public.${table} on conflict (id) do update set created_at =`
    expect(await timeAfter(tx => tx.unsafe(`${copy} excluded.created_at, updated_at = now()`))).toBe(longAgo)
    expect(await timeAfter(tx => tx.unsafe(`${copy} excluded.created_at + interval '1 day'`))).toBe('now')
  })

  test('service_role, which may not call the function, sets it off', async () => {
    const changed = await timeAfter(async tx => {
      await tx`set local role service_role`
      await tx`update public.${tx(table)} set created_at = ${longAgo}`
    })
    expect(changed).toBe('now')
  })
})

test('before the tables are hardened a client may say what it likes', async () => {
  const contracted = await ownDatabase('contracted')
  await populate(contracted)
  for (const { table } of tables) {
    await contracted.sql`update public.${contracted.sql(table)} set updated_at = ${later}`
    expect(await updatedAt(contracted.sql, table)).toBe(later)
  }
})

test('a function of the user’s own, with the name that many projects use, survives the way up and down', async () => {
  const { db, sql } = await ownDatabase('contracted')
  await sql.unsafe(`
    create table public.own (id int, updated_at timestamptz);
    create function public.set_updated_at() returns trigger language plpgsql as $$
    begin
      new.updated_at := '2000-01-01';
      return new;
    end $$;
    create trigger own before update on public.own for each row execute function public.set_updated_at();`)
  const own = () => sql`
    select tgname, p.oid, prosrc from pg_trigger join pg_proc p on p.oid = tgfoid
     where tgrelid = 'public.own'::regclass`
  const before = await own()
  expect(before).toHaveLength(1)
  await migrate(db)
  expect(await own()).toEqual(before)
  await rollback(db, { to: 'rename_catalog_and_drop_user_agents' })
  expect(await own()).toEqual(before)
})

/** Rows in each table, all last changed long ago, among them a spare model; and a spare user. */
async function populate({ sql, admin }: TestDatabase): Promise<void> {
  const user = await signUp(admin)
  await signUp(admin, { email: 'spare@example.test' })
  await sql`
    insert into public.llms (model_code, provider, display_name, status, updated_at)
    values ('model', 'provider', 'Model', 'active', ${longAgo}), ('spare', 'provider', 'Spare', 'active', ${longAgo})`
  await sql`
    insert into public.system_agents (agent_type, llm_id, status, updated_at)
    select 'TASK', id, 'active', ${longAgo} from public.llms where model_code = 'model'`
  await sql`
    insert into public.memories (user_id, memory_type, content, status, updated_at)
    values (${user}, 'user', 'content', 'active', ${longAgo})`
  await sql`delete from public.profiles`
  await sql`
    insert into public.profiles (id, username, avatar_url, bio, settings, updated_at)
    values (${user}, 'ada', '', '', '{"agent_prompts": {}}', ${longAgo})`
}

/** When the table's rows were last changed: all at the same time, or it is no answer. */
async function updatedAt(sql: postgres.Sql | postgres.TransactionSql, table: string): Promise<string> {
  const [row, ...others] = await sql`
    select distinct case when updated_at = now() then 'now'
                         else to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') end as at
      from public.${sql(table)}`
  if (row === undefined || others.length > 0) throw new Error(`${table} has ${others.length + 1} times`)
  return row.at
}
