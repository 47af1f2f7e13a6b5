import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { installSupabaseStub } from '../../../src/local/supabase-stub.ts'
import { asRole, createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { connect, createTemplate, DEPLOYER, using } from '../../support/templates.ts'

const options = { deployer: DEPLOYER.role, grants: 'old' } as const
const denied = { code: '42501' }

describe('roles', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase()
    return database.drop
  })

  test('none is a superuser; who logs in, inherits and bypasses row level security is as on Supabase', async () => {
    const roles = await database.admin`
      select rolname as name, rolsuper as super, rolcanlogin as login, rolinherit as inherit, rolbypassrls as bypass,
             rolcreatedb as createdb, rolcreaterole as createrole
      from pg_roles
      where rolname in ('anon', 'authenticated', 'service_role', 'authenticator', 'supabase_auth_admin', ${DEPLOYER.role})
      order by rolname collate "C"`
    const none = {
      super: false,
      login: false,
      inherit: false,
      bypass: false,
      createdb: false,
      createrole: false,
    }
    expect(roles).toEqual([
      {
        ...none,
        name: DEPLOYER.role,
        login: true,
        inherit: true,
        bypass: true,
        createdb: true,
        createrole: true,
      },
      { ...none, name: 'anon' },
      { ...none, name: 'authenticated' },
      { ...none, name: 'authenticator', login: true },
      { ...none, name: 'service_role', bypass: true },
      { ...none, name: 'supabase_auth_admin', createrole: true },
    ])
  })

  test.each(['anon', 'authenticated', 'service_role'])('the deployer can become %s', async role => {
    expect(await asRole(database.sql, role, tx => tx`select current_user as role`)).toEqual([{ role }])
  })

  test.each(['supabase_auth_admin', 'authenticator'])('the deployer cannot become %s', async role => {
    await expect(asRole(database.sql, role, tx => tx`select 1`)).rejects.toMatchObject(denied)
  })
})

describe('auth', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase()
    return database.drop
  })

  test('belongs to supabase_auth_admin, all of it', async () => {
    expect(
      await database.admin`
        select distinct pg_get_userbyid(owner) as owner
        from (select nspowner from pg_namespace where nspname = 'auth'
              union all select relowner from pg_class where relnamespace = 'auth'::regnamespace
              union all select proowner from pg_proc where pronamespace = 'auth'::regnamespace) as owned (owner)`,
    ).toEqual([{ owner: 'supabase_auth_admin' }])
  })

  test.each([
    'create table auth.mine ()',
    'create function auth.mine() returns int language sql as $$ select 1 $$',
    'create index on auth.users (phone)',
    "comment on table auth.users is 'mine'",
    'alter table auth.users add column mine int',
    'drop table auth.users',
    'create role anon',
    'alter role service_role superuser',
  ])('the deployer cannot: %s', async statement => {
    await expect(database.sql.unsafe(statement)).rejects.toMatchObject({
      code: statement === 'create role anon' ? '42710' : '42501',
    })
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

  test.each(['anon', 'authenticated'])('%s reads no users, where the owner does', async role => {
    const id = await signUp(database.admin)
    await expect(asRole(database.sql, role, tx => tx`select from auth.users`)).rejects.toMatchObject(denied)
    expect(
      await asRole(
        database.admin,
        'supabase_auth_admin',
        tx => tx`select id from auth.users where id = ${id}`,
      ),
    ).toEqual([{ id }])
  })

  test('supabase_auth_admin creates and reads nothing in public, where the deployer does', async () => {
    const asAuthAdmin = (statement: string) =>
      asRole(database.admin, 'supabase_auth_admin', tx => tx.unsafe(statement))
    await database.sql`create table public.secret as select 1 as one`
    await expect(asAuthAdmin('select from public.secret')).rejects.toMatchObject(denied)
    await expect(asAuthAdmin('create table public.theirs ()')).rejects.toMatchObject(denied)
    expect(await database.sql`select one from public.secret`).toEqual([{ one: 1 }])
  })

  test('signs up with any e-mail and metadata, each phone number once', async () => {
    const { admin } = database
    const id = randomUUID()
    expect(await signUp(admin, { id, email: null, metadata: undefined })).toBe(id)
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
    await expect(admin`update auth.users set phone = '1' where id <> ${id}`).rejects.toMatchObject({
      code: '23505',
    })
  })

  test('uid, role and jwt are those of the claims, and null without', async () => {
    const who = (tx: postgres.TransactionSql) =>
      tx`select auth.uid() as uid, auth.role() as role, auth.jwt() ->> 'iss' as issuer`
    const claims = { sub: randomUUID(), role: 'authenticated', iss: 'test' }
    expect(
      await asRole(database.sql, 'authenticated', async tx => {
        await tx`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`
        return who(tx)
      }),
    ).toEqual([{ uid: claims.sub, role: 'authenticated', issuer: 'test' }])
    expect(await asRole(database.sql, 'anon', who)).toEqual([{ uid: null, role: null, issuer: null }])
  })
})

describe.each(['old', 'new'] as const)('with the %s default grants', grants => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase(`stub_${grants}`)
    await database.sql.unsafe(`
      create table public.thing (id int generated by default as identity);
      create function public.answer() returns int language sql as $$ select 42 $$;
      insert into public.thing values (1);
    `)
    return database.drop
  })

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
    expect(await asRole(database.sql, role, tx => tx`select public.answer() as answer`)).toEqual([
      { answer: 42 },
    ])
    expect(await database.sql`select id from public.thing`).toEqual([{ id: 1 }])
  })

  test('the deployer owns the database, makes schemas, and what it makes there is nobody else’s', async () => {
    const { sql } = database
    await sql.unsafe('create schema archive; create table archive.thing as select 1 as id')
    await expect(asRole(sql, 'service_role', tx => tx`select from archive.thing`)).rejects.toMatchObject(
      denied,
    )
    expect(await sql`select id from archive.thing`).toEqual([{ id: 1 }])
    expect(
      await sql`select pg_get_userbyid(datdba) as owner from pg_database where datname = current_database()`,
    ).toEqual([{ owner: DEPLOYER.role }])
  })
})

describe('installing', () => {
  const made: TestDatabase[] = []
  const empty = async () => {
    const run = inject('run')
    const name = `empty_${process.pid}_${made.length}`
    await createTemplate(run, name, 'template0', async () => {})
    const database = await createDatabase(name)
    made.push(database)
    return database
  }
  afterAll(() => Promise.all(made.map(database => database.drop())))

  const acl = (admin: postgres.Sql) => admin`
    select defaclobjtype::text, defaclacl::text, (select nspacl::text from pg_namespace where nspname = 'public')
    from pg_default_acl order by 1`

  test('twice changes nothing and keeps the users', async () => {
    const { admin } = await createDatabase().then(database => made[made.push(database) - 1]!)
    const id = await signUp(admin)
    const before = await acl(admin)
    await installSupabaseStub(admin, options)
    expect(await acl(admin)).toEqual(before)
    expect(await admin`select id from auth.users`).toEqual([{ id }])
  })

  test('takes over from the other default grants', async () => {
    const { admin } = await createDatabase('stub_new').then(database => made[made.push(database) - 1]!)
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
    const connections = [one, one, two, two].map(({ adminUrl }) => connect(adminUrl, { max: 1 }))
    await Promise.all(connections.map(admin => admin`select 1`))
    await Promise.all(
      connections.map(admin => installSupabaseStub(admin, { ...options, deployer, password: 'x' })),
    )
    await Promise.all(connections.map(admin => admin.end()))
    expect(await one.admin`select rolsuper from pg_roles where rolname = ${deployer}`).toEqual([
      { rolsuper: false },
    ])
    await Promise.all([one, two].map(database => database.drop()))
    await using(inject('run').serverUrl, admin => admin`drop role ${admin(deployer)}`)
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
    const asDeployer = connect(database.adminUrl, { max: 1, username: deployer, password })
    expect(await asDeployer`select current_user as role`).toEqual([{ role: deployer }])
    await asDeployer.end()
    await database.drop()
    await using(inject('run').serverUrl, admin => admin`drop role ${admin(deployer)}`)
  })

  test('refuses a database with an auth schema of its own, and changes nothing there', async () => {
    const { admin } = await empty()
    await admin.unsafe('create schema auth; create table auth.users (id uuid primary key)')
    await expect(installSupabaseStub(admin, options)).rejects.toMatchObject({
      code: '55000',
      message: expect.stringContaining('has a schema "auth" of its own'),
    })
    expect(
      await admin`select from pg_attribute where attrelid = 'auth.users'::regclass and attnum > 0`,
    ).toHaveLength(1)
    expect(await admin`select from pg_default_acl`).toHaveLength(0)
    expect(await admin`select to_regprocedure('auth.uid()') as uid`).toEqual([{ uid: null }])
  })

  test('refuses it also where the caller is not a superuser', async () => {
    const { admin, sql } = await empty()
    await admin`create schema auth`
    await expect(installSupabaseStub(sql, options)).rejects.toMatchObject({ code: '55000' })
  })
})
