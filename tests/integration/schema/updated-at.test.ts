import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { createDatabase, ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'

const longAgo = '2020-02-02 02:02:02.020202+00'
const later = '2030-03-03 03:03:03.030303+00'

/** Each table, and for each of its columns an expression that changes it. */
const tables: { table: string; changes: Record<string, string> }[] = [
  {
    table: 'llms',
    changes: {
      model_code: `model_code || ' '`,
      provider: `'other'`,
      display_name: `'other'`,
      config: `'{"other": true}'`,
      status: `'other'`,
      created_at: `created_at + interval '1 microsecond'`,
    },
  },
  {
    table: 'system_agents',
    changes: {
      agent_type: `'OTHER'`,
      llm_id: `(select id from public.llms where model_code = 'spare')`,
      config: `'{"other": true}'`,
      status: `'inactive'`,
      created_at: `created_at + interval '1 microsecond'`,
    },
  },
  {
    table: 'profiles',
    changes: {
      username: 'null',
      avatar_url: `'other'`,
      bio: `''`,
      settings: `settings || '{"other": true}'`,
      created_at: `created_at + interval '1 microsecond'`,
    },
  },
  {
    table: 'memories',
    changes: {
      user_id: `(select id from auth.users where email = 'spare@example.test')`,
      memory_type: `'work'`,
      content: `content || ' '`,
      status: `'other'`,
      created_at: `created_at + interval '1 microsecond'`,
    },
  },
]

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase('today')
  await populate(database)
})
afterAll(() => database.drop())

describe.each(tables)('$table', ({ table, changes }) => {
  test('an insert says for itself when the row was last changed', async () => {
    await undone(async tx => expect(await updatedAt(tx, table)).toBe(longAgo))
  })

  test('every column is one of those tried here', async () => {
    const columns = await database.sql`
      select attname as name from pg_attribute
       where attrelid = ${`public.${table}`}::text::regclass and attnum > 0 and not attisdropped`
    const names = columns.map(column => column.name).sort()
    expect(names).toEqual([...Object.keys(changes), 'id', 'updated_at'].sort())
  })

  test.each(Object.entries(changes))('a change of %s sets it to now', async (column, value) => {
    await undone(async tx => {
      await tx.unsafe(`update public.${table} set ${column} = ${value}`)
      expect(await updatedAt(tx, table)).toBe(await now(tx))
    })
  })

  test('a change under another time sets it to now all the same', async () => {
    const [column, value] = Object.entries(changes)[0]!
    for (const claimed of [longAgo, later, null]) {
      await undone(async tx => {
        await tx.unsafe(`update public.${table} set ${column} = ${value}, updated_at = $1`, [claimed])
        expect(await updatedAt(tx, table)).toBe(await now(tx))
      })
    }
  })

  test('another time alone is ignored', async () => {
    await undone(async tx => {
      await tx`update public.${tx(table)} set updated_at = ${later}`
      expect(await updatedAt(tx, table)).toBe(longAgo)
    })
  })

  test.each(Object.keys(changes))('an update of %s to what it is leaves it', async column => {
    await undone(async tx => {
      const { count } = await tx`update public.${tx(table)} set ${tx(column)} = ${tx(column)}`
      expect(count).toBeGreaterThan(0)
      expect(await updatedAt(tx, table)).toBe(longAgo)
    })
  })

  test('an upsert of the same row leaves it, of another one sets it to now', async () => {
    const upsert = (set: string) =>
      `insert into public.${table} select * from public.${table} on conflict (id) do update set ${set}`
    await undone(async tx => {
      await tx.unsafe(upsert('created_at = excluded.created_at, updated_at = now()'))
      expect(await updatedAt(tx, table)).toBe(longAgo)
      await tx.unsafe(upsert(`created_at = excluded.created_at + interval '1 day'`))
      expect(await updatedAt(tx, table)).toBe(await now(tx))
    })
  })

  test('service_role, which may not call the function, sets it off', async () => {
    await undone(async tx => {
      await tx`set local role service_role`
      await tx`update public.${tx(table)} set created_at = ${longAgo}`
      expect(await updatedAt(tx, table)).toBe(await now(tx))
    })
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
  const { db, sql, drop } = await createDatabase('contracted')
  try {
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

    // A step that refuses, because the name is taken, leaves it alone too.
    const { applied } = await migrate(db).catch(() => ({ applied: [] }))
    expect(await own()).toEqual(before)
    if (applied.length > 0) await rollback(db, { to: 'rename_the_catalog_and_drop_user_agents' })
    expect(await own()).toEqual(before)
  } finally {
    await drop()
  }
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
    select 'TASK_EXECUTION', id, 'active', ${longAgo} from public.llms where model_code = 'model'`
  await sql`
    insert into public.memories (user_id, memory_type, content, status, updated_at)
    values (${user}, 'user', 'content', 'active', ${longAgo})`
  await sql`delete from public.profiles`
  await sql`
    insert into public.profiles (id, username, settings, updated_at)
    values (${user}, 'ada', '{"agent_prompts": {}}', ${longAgo})`
}

/** When the table's rows were last changed: all at the same time, or it is no answer. */
async function updatedAt(sql: postgres.Sql | postgres.TransactionSql, table: string): Promise<string> {
  const [row, ...others] = await sql`
    select distinct to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') as at
      from public.${sql(table)}`
  if (row === undefined || others.length > 0) throw new Error(`${table} has ${others.length + 1} times`)
  return row.at
}

async function now(tx: postgres.TransactionSql): Promise<string> {
  const [row] = await tx`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') as at`
  return row?.at
}

/** Does the work in a transaction as the owner, and takes it back. */
async function undone(work: (tx: postgres.TransactionSql) => Promise<void>): Promise<void> {
  const done = Symbol('done')
  await database.sql
    .begin(async tx => {
      await work(tx)
      throw done
    })
    .catch((error: unknown) => {
      if (error !== done) throw error
    })
}
