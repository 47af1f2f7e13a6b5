import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rollback, status } from '../../../src/migrate.ts'
import { createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { populate } from '../../support/inventory.ts'
import { commitPoints, names as migrations, reach } from '../../support/migrations.ts'
import { DEPLOYER } from '../../support/templates.ts'

const everything = 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'

describe.each([
  { rights: everything, does: async () => {} },
  {
    rights: 'REFERENCES, TRIGGER',
    does: async ({ admin }: TestDatabase) => {
      await admin`revoke all on auth.users from ${admin(DEPLOYER.role)} cascade`
      await admin`grant references, trigger on auth.users to ${admin(DEPLOYER.role)}`
    },
  },
])('a deployer with $rights on auth.users', ({ rights, does }) => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await createDatabase('stub_old')
    await does(database)
  })
  afterEach(() => database.drop())

  test('is no superuser, owns nothing in auth, and has no more rights there than said', async () => {
    const { sql } = database
    expect(await sql`select rolname, rolsuper from pg_roles where rolname = current_user`).toEqual([
      { rolname: DEPLOYER.role, rolsuper: false },
    ])
    expect(
      await sql`
        select relname from pg_class
         where relnamespace = 'auth'::regnamespace and pg_has_role(current_user, relowner, 'usage')`,
    ).toEqual([])
    for (const privilege of everything.split(', ')) {
      const [granted] = await sql`select has_table_privilege('auth.users', ${privilege}) as has`
      expect([privilege, granted?.has]).toEqual([privilege, rights.includes(privilege)])
    }
  })

  test('goes up and down with users at every point, and leaves nothing behind', async () => {
    const { db, sql, admin } = database
    const before = await everyObject(database)
    const users: string[] = []
    for (const point of commitPoints) {
      await reach(db, point)
      if (users.length === 0) await populate(database)
      users.push(await signUp(admin))
      expect(await sql`select id from public.profiles where id = ${users.at(-1)!}`).toHaveLength(1)
    }
    expect(await sql`select from public.user_agents where user_id = any(${users})`).toHaveLength(
      3 * users.length,
    )

    await admin`delete from auth.users`
    await rollback(db)
    expect(await status(db)).toMatchObject({ applied: [], pending: migrations })
    expect(await everyObject(database)).toEqual(before)
  })

  test('may neither drop its trigger on auth.users nor create anything in auth', async () => {
    await reach(database.db, commitPoints[0]!)
    for (const statement of [
      'drop trigger on_auth_user_created on auth.users',
      'alter table auth.users disable trigger on_auth_user_created',
      'create index on auth.users (created_at)',
      'comment on trigger on_auth_user_created on auth.users is null',
      'create table auth.ours ()',
      'create function auth.ours() returns int language sql as $$ select 1 $$',
    ]) {
      await expect(database.sql.unsafe(statement), statement).rejects.toMatchObject({ code: '42501' })
    }
    expect(await database.sql`select from pg_trigger where tgname = 'on_auth_user_created'`).toHaveLength(1)
  })
})

test('a user with rows that the deployer may not even read can still be deleted by Supabase', async () => {
  const { sql, admin, db, drop } = await createDatabase('stub_old')
  try {
    await admin`revoke all on auth.users from ${admin(DEPLOYER.role)} cascade`
    await admin`grant references, trigger on auth.users to ${admin(DEPLOYER.role)}`
    await reach(db, { way: 'up', at: 'harden_the_tables' })
    const id = await signUp(admin)
    await expect(sql`select from auth.users`).rejects.toMatchObject({ code: '42501' })
    expect(await sql`select from public.profiles`).toHaveLength(1)
    await admin.begin(async tx => {
      await tx`set local role supabase_auth_admin`
      await tx`delete from auth.users where id = ${id}`
    })
    expect(await sql`select from public.profiles`).toHaveLength(0)
  } finally {
    await drop()
  }
})

/** Whatever a migration may have made, in any schema but the ledger's. */
async function everyObject({ sql }: TestDatabase) {
  const rows = await sql`
    with schemas as (
      select oid from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'drizzle')
    )
    select 'schema ' || oid::regnamespace as object from schemas
    union all
    select 'relation ' || oid::regclass from pg_class where relnamespace in (table schemas)
    union all
    select 'function ' || oid::regprocedure from pg_proc where pronamespace in (table schemas)
    union all
    select 'type ' || oid::regtype from pg_type where typnamespace in (table schemas)
    union all
    select 'constraint ' || conname from pg_constraint where connamespace in (table schemas)
    union all
    select 'trigger ' || tgname from pg_trigger where not tgisinternal
    union all
    select 'policy ' || polname from pg_policy
     order by 1`
  return rows.map(row => row.object)
}
