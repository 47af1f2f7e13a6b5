import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { describe, expect, inject, test } from 'vitest'
import { installSupabaseStub } from '../../../scripts/supabase-stub.ts'
import { ownClient } from '../../support/client.ts'
import { asRole, ownDatabase, sharedDatabase, signUp, statementsAs } from '../../support/database.ts'
import { createTemplate, DEPLOYER, using } from '../../support/templates.ts'

const options = { deployer: DEPLOYER.role, grants: 'old' } as const
const denied = { code: '42501' }

describe('roles and auth', () => {
  const database = sharedDatabase()

  test('no role is a superuser; who logs in, inherits and bypasses row level security is as on Supabase', async () => {
    const roles = await database.admin`
      select rolname as name, array_remove(array[
               case when rolsuper then 'superuser' end,       case when rolcanlogin then 'login' end,
               case when rolinherit then 'inherit' end,       case when rolbypassrls then 'bypassrls' end,
               case when rolcreatedb then 'createdb' end,     case when rolcreaterole then 'createrole' end], null) as may
        from pg_roles
       where rolname in ('anon', 'authenticated', 'service_role', 'authenticator', 'supabase_auth_admin', ${DEPLOYER.role})
       order by rolname collate "C"`
    expect(roles.map(({ name, may }) => `${name} ${may}`)).toEqual([
      `${DEPLOYER.role} login,inherit,bypassrls,createdb,createrole`,
      'anon ',
      'authenticated ',
      'authenticator login',
      'service_role bypassrls',
      'supabase_auth_admin createrole',
    ])
  })

  test('the deployer can become the roles of clients, and no others', async () => {
    for (const role of ['anon', 'authenticated', 'service_role'])
      expect(await asRole(database.sql, role, tx => tx`select current_user as role`)).toEqual([{ role }])
    for (const role of ['supabase_auth_admin', 'authenticator'])
      await expect(asRole(database.sql, role, tx => tx`select 1`)).rejects.toMatchObject(denied)
  })

  test('auth belongs to supabase_auth_admin, all of it', async () => {
    const owners = await database.admin`
      select distinct pg_get_userbyid(owner) as owner
      from (select nspowner from pg_namespace where nspname = 'auth'
            union all select relowner from pg_class where relnamespace = 'auth'::regnamespace
            union all select proowner from pg_proc where pronamespace = 'auth'::regnamespace) as owned (owner)`
    expect(owners).toEqual([{ owner: 'supabase_auth_admin' }])
  })

  test('the deployer can refer to auth.users, put a trigger there, read it, and let others read it', async () => {
    const { sql, admin } = database
    await sql.unsafe(`
      create table public.profile (id uuid primary key references auth.users on delete cascade);
      create function public.greet() returns trigger language plpgsql security definer set search_path = ''
        as $$ begin insert into public.profile values (new.id); return new; end $$;
      create or replace trigger greet after insert on auth.users for each row execute function public.greet();
      create or replace trigger greet after insert on auth.users for each row execute function public.greet();
      grant select on auth.users to service_role;
    `)
    const id = await signUp(admin)
    expect(await sql`select id from public.profile`).toEqual([{ id }])
    expect(await sql`select id from auth.users`).toEqual([{ id }])
    expect(await asRole(sql, 'service_role', tx => tx`select id from auth.users`)).toEqual([{ id }])
    await admin`delete from auth.users where id = ${id}`
    expect(await sql`select id from public.profile`).toEqual([])
  })

  test.each([
    'create table auth.mine ()',
    'create function auth.mine() returns int language sql as $$ select 1 $$',
    'create index on auth.users (phone)',
    "comment on table auth.users is 'mine'",
    'alter table auth.users add column mine int',
    'alter table auth.users disable trigger greet',
    'drop trigger greet on auth.users',
    'comment on trigger greet on auth.users is null',
    'drop table auth.users',
    'alter role service_role superuser',
  ])('but cannot: %s', async statement => {
    await expect(database.sql.unsafe(statement)).rejects.toMatchObject(denied)
  })

  test.each(['anon', 'authenticated'])('%s reads no users, where their owner does', async role => {
    const id = await signUp(database.admin)
    await expect(asRole(database.sql, role, tx => tx`select from auth.users`)).rejects.toMatchObject(denied)
    const users = statementsAs('supabase_auth_admin', database)`select id from auth.users where id = ${id}`
    expect(await users).toEqual([{ id }])
  })

  test('supabase_auth_admin creates and reads nothing in public, where the deployer does', async () => {
    const run = statementsAs('supabase_auth_admin', database)
    await database.sql`create table public.secret as select 1 as one`
    await expect(run`select from public.secret`).rejects.toMatchObject(denied)
    await expect(run`create table public.theirs ()`).rejects.toMatchObject(denied)
    expect(await database.sql`select one from public.secret`).toEqual([{ one: 1 }])
  })

  test('users sign up with any e-mail and metadata, and have each phone number once', async () => {
    const { admin } = database
    const id = await signUp(admin, { email: null, metadata: undefined })
    expect(
      await admin`select email, raw_user_meta_data as metadata from auth.users where id = ${id}`,
    ).toEqual([{ email: null, metadata: null }])
    for (const metadata of [null, 'text', 7, [], { username: 'ada' }]) {
      const user = await signUp(admin, { metadata })
      const [row] = await admin`
        select raw_user_meta_data::text as metadata, email from auth.users where id = ${user}`
      expect(JSON.parse(row!.metadata)).toEqual(metadata)
      expect(row!.email).toBe(`${user}@example.test`)
    }
    await admin`update auth.users set phone = '1' where id = ${id}`
    const again = admin`update auth.users set phone = '1' where id <> ${id}`
    await expect(again).rejects.toMatchObject({ code: '23505' })
  })

  test('uid, role and jwt are those of the claims, and null without', async () => {
    const who = (tx: postgres.TransactionSql) =>
      tx`select auth.uid() as uid, auth.role() as role, auth.jwt() ->> 'iss' as issuer`
    const claims = { sub: randomUUID(), role: 'authenticated', iss: 'test' }
    const found = await asRole(database.sql, 'authenticated', async tx => {
      await tx`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`
      return who(tx)
    })
    expect(found).toEqual([{ uid: claims.sub, role: 'authenticated', issuer: 'test' }])
    expect(await asRole(database.sql, 'anon', who)).toEqual([{ uid: null, role: null, issuer: null }])
  })
})

describe.each(['old', 'new'] as const)('with the %s default grants', grants => {
  const database = sharedDatabase(`stub_${grants}`, ({ sql }) =>
    sql.unsafe(`
      create table public.thing (id int generated by default as identity);
      create function public.answer() returns int language sql as $$ select 42 $$;
      insert into public.thing values (1);
    `),
  )

  test.each(['anon', 'authenticated', 'service_role'])('%s gets what such a project gives', async role => {
    const privileges = await database.admin`
      select count(*)::int as tables
      from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
      where has_table_privilege(${role}, 'public.thing', privilege)`
    expect(privileges).toEqual([{ tables: grants === 'old' ? 7 : 0 }])
    const select = asRole(database.sql, role, tx => tx`select id from public.thing`)
    if (grants === 'old') expect(await select).toEqual([{ id: 1 }])
    else await expect(select).rejects.toMatchObject(denied)
    // PostgreSQL's own default, which neither takes away.
    const answer = await asRole(database.sql, role, tx => tx`select public.answer() as answer`)
    expect(answer).toEqual([{ answer: 42 }])
  })

  test('the deployer owns the database, makes schemas, and has alone what it makes there', async () => {
    const { sql } = database
    await sql.unsafe('create schema archive; create table archive.thing as select 1 as id')
    const select = asRole(sql, 'service_role', tx => tx`select from archive.thing`)
    await expect(select).rejects.toMatchObject(denied)
    expect(await sql`select id from archive.thing`).toEqual([{ id: 1 }])
    expect(
      await sql`select pg_get_userbyid(datdba) as owner from pg_database where datname = current_database()`,
    ).toEqual([{ owner: DEPLOYER.role }])
  })
})

describe('installing', () => {
  let made = 0
  const empty = async () => {
    const name = `empty_${process.pid}_${made++}`
    await createTemplate(inject('run'), name, 'template0', async () => {})
    return ownDatabase(name)
  }
  /** Roles belong to the whole server; once nothing of theirs is left they can go. */
  const dropRole = (role: string) => using(inject('run').serverUrl, admin => admin`drop role ${admin(role)}`)

  test('twice changes nothing and keeps the users', async () => {
    const { admin } = await ownDatabase()
    const id = await signUp(admin)
    const acl = () => admin`
      select defaclobjtype::text, defaclacl::text, (select nspacl::text from pg_namespace where nspname = 'public')
      from pg_default_acl order by 1`
    const before = await acl()
    await installSupabaseStub(admin, options)
    expect(await acl()).toEqual(before)
    expect(await admin`select id from auth.users`).toEqual([{ id }])
  })

  test('takes over from the other default grants', async () => {
    const { admin } = await ownDatabase('stub_new')
    expect(await admin`select from pg_default_acl`).toHaveLength(0)
    await installSupabaseStub(admin, options)
    expect(await admin`select from pg_default_acl`).toHaveLength(3)
    await installSupabaseStub(admin, { ...options, grants: 'new' })
    expect(await admin`select from pg_default_acl`).toHaveLength(0)
  })

  test('four at once, in one database and in two, on a server without the roles or with them, all succeed', async () => {
    const [one, two] = [await empty(), await empty()]
    // A deployer nobody has yet, so that they all try to make it.
    const deployer = `race_${process.pid}`
    const connections = [one, one, two, two].map(({ adminUrl }) => ownClient(adminUrl))
    await Promise.all(connections.map(admin => admin`select 1`))
    await Promise.all(
      connections.map(admin => installSupabaseStub(admin, { ...options, deployer, password: 'x' })),
    )
    expect(await one.admin`select rolsuper from pg_roles where rolname = ${deployer}`).toEqual([
      { rolsuper: false },
    ])
    await Promise.all([one.drop(), two.drop()])
    await dropRole(deployer)
  })

  test('leaves a deployer who is a superuser as it is', async () => {
    const { admin } = await empty()
    const [row] = await admin`select current_user as superuser`
    await installSupabaseStub(admin, { ...options, deployer: row!.superuser })
    expect(await admin`select rolsuper from pg_roles where rolname = current_user`).toEqual([
      { rolsuper: true },
    ])
  })

  test('quotes names and passwords', async () => {
    const database = await empty()
    const [deployer, password] = [`odd "name"; ${process.pid}`, `it's $$ \\`]
    await installSupabaseStub(database.admin, { ...options, deployer, password })
    const asDeployer = ownClient(database.adminUrl, { username: deployer, password })
    expect(await asDeployer`select current_user as role`).toEqual([{ role: deployer }])
    await asDeployer.end()
    await database.drop()
    await dropRole(deployer)
  })

  test('refuses a database with an auth schema of its own, and changes nothing there', async () => {
    const { admin, sql } = await empty()
    await admin.unsafe('create schema auth; create table auth.users (id uuid primary key)')
    await expect(installSupabaseStub(admin, options)).rejects.toMatchObject({
      code: '55000',
      message: expect.stringContaining('has a schema "auth" of its own'),
    })
    const columns =
      await admin`select from pg_attribute where attrelid = 'auth.users'::regclass and attnum > 0`
    expect(columns).toHaveLength(1)
    expect(await admin`select from pg_default_acl`).toHaveLength(0)
    expect(await admin`select to_regprocedure('auth.uid()') as uid`).toEqual([{ uid: null }])
    // Also where the caller is not a superuser.
    await expect(installSupabaseStub(sql, options)).rejects.toMatchObject({ code: '55000' })
  })
})
