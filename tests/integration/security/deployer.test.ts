import { describe, expect, test } from 'vitest'
import { check, migrate, rollback, status } from '../../../src/migrate.ts'
import { asRole, databaseForEach, ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { populate } from '../../support/inventory.ts'
import { baseline, commitPoints, names, reach } from '../../support/migrations.ts'
import { DEPLOYER } from '../../support/templates.ts'

const everything = 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'

describe.each([everything, 'REFERENCES, TRIGGER'])('a deployer with %s on auth.users', rights => {
  const at = databaseForEach('stub_old', async ({ admin }) => {
    await admin.unsafe(`
      revoke all on auth.users from ${DEPLOYER.role} cascade;
      grant ${rights} on auth.users to ${DEPLOYER.role}`)
  })

  test('is not a superuser, owns nothing in auth, and has no more rights there than that', async () => {
    const { sql } = at
    expect(await sql`select rolname, rolsuper from pg_roles where rolname = current_user`).toEqual([
      { rolname: DEPLOYER.role, rolsuper: false },
    ])
    const owned = await sql`
      select relname from pg_class
       where relnamespace = 'auth'::regnamespace and pg_has_role(current_user, relowner, 'usage')`
    expect(owned).toEqual([])
    const granted = await sql`
      select privilege from unnest(${everything.split(', ')}::text[]) privilege
       where has_table_privilege('auth.users', privilege)`
    expect(granted.map(({ privilege }) => privilege)).toEqual(rights.split(', '))
  })

  test('goes up and down with users at every point, and leaves nothing behind', async () => {
    const { db, sql, admin } = at
    const before = await everyObject(at)
    const users: string[] = []
    for (const point of commitPoints) {
      await reach(db, point)
      if (users.length === 0) await populate(at)
      users.push(await signUp(admin))
      expect(await sql`select id from public.profiles where id = ${users.at(-1)!}`).toHaveLength(1)
    }
    const agents = await sql`select from public.user_agents where user_id = any(${users})`
    expect(agents).toHaveLength(3 * users.length)

    await admin`delete from auth.users`
    await rollback(db)
    expect(await status(db)).toMatchObject({ applied: [], pending: names })
    expect(await everyObject(at)).toEqual(before)
  })

  test('need not read users for Supabase to delete one, with all rows of theirs', async () => {
    const { db, sql, admin } = at
    await reach(db, { way: 'up', at: 'keep_updated_at' })
    const id = await signUp(admin)
    const reads = sql`select from auth.users`
    if (rights === everything) expect(await reads).toHaveLength(1)
    else await expect(reads).rejects.toMatchObject({ code: '42501' })
    expect(await sql`select from public.profiles`).toHaveLength(1)
    await asRole(admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${id}`)
    expect(await sql`select from public.profiles`).toHaveLength(0)
  })
})

/** Whatever a migration may have made, in any schema but the ledger's. */
async function everyObject({ sql }: TestDatabase) {
  const rows = await sql`
    select pg_describe_object(classid, objid, objsubid) as object
      from (select 'pg_namespace'::regclass as classid, oid as objid, 0 as objsubid, oid as schema from pg_namespace
            union all select 'pg_class'::regclass, oid, 0, relnamespace from pg_class
            union all select 'pg_proc'::regclass, oid, 0, pronamespace from pg_proc
            union all select 'pg_type'::regclass, oid, 0, typnamespace from pg_type
            union all select 'pg_constraint'::regclass, oid, 0, connamespace from pg_constraint
            union all select 'pg_trigger'::regclass, oid, 0, 0 from pg_trigger where not tgisinternal
            union all select 'pg_policy'::regclass, oid, 0, 0 from pg_policy) objects
     where schema = 0 or schema::regnamespace::text !~ '^(pg_.*|information_schema|drizzle)$'
     order by 1`
  return rows.map(row => row.object)
}

test('a deployer without CREATE on the database uses the schemas that were made for it, and leaves them', async () => {
  const { admin, db, name } = await ownDatabase('stub_old')
  await admin.unsafe(`
    revoke create on database ${name} from public, ${DEPLOYER.role};
    create schema drizzle; create schema archive;
    grant usage, create on schema drizzle, archive to ${DEPLOYER.role}`)
  await migrate(db)
  await rollback(db, { to: baseline })
  await migrate(db)
  expect((await check(db)).differences.map(({ object }) => object)).toEqual([
    'schema archive',
    'schema archive',
    'schema archive',
  ])
  await rollback(db, { to: baseline })
  expect(
    await admin`select nspname from pg_namespace where nspname in ('archive', 'drizzle') order by 1`,
  ).toHaveLength(2)
})
