import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import type { Database } from '../../src/database.ts'
import {
  adopt,
  check,
  dropArchive,
  hasDrift,
  MigrationError,
  migrate,
  rollback,
  status,
} from '../../src/migrations/index.ts'
import { defaultSeedFiles, seed } from '../../src/seed/index.ts'
import { readCatalog } from '../support/catalog.ts'
import { createDatabase, signUp, type TestDatabase } from '../support/database.ts'
import { fill, readLedger, readRows } from '../support/rows.ts'
import { connect, createTemplate, DEPLOYER } from '../support/templates.ts'
import { buildByOtherMeans } from './by-other-means.ts'

const built = `built_${process.pid}`
const baseline = expect.stringMatching(/_secure_the_agent_tables$/)
const expand = expect.stringMatching(/_serve_both_applications$/)
const everything = ['public', 'auth', 'archive', 'billing']

beforeAll(async () => {
  await createTemplate(inject('run'), built, 'standin_old', async ({ url }) => {
    const client = connect(url, { max: 1 })
    await buildByOtherMeans(client)
    await client.end()
  })
})

async function database(template: string): Promise<TestDatabase> {
  const made = await createDatabase(template)
  onTestFinished(() => made.drop())
  return made
}

/** The version of every row that PostgreSQL keeps of our objects and of those around them, and where each table lies. */
async function versions({ admin }: { admin: postgres.Sql }): Promise<string[]> {
  const rows = await admin`
    with relations as (
      select c.*, c.xmin as version
        from pg_class c
       where relnamespace::regnamespace::text in ('public', 'auth', 'billing')
    )
    select concat('relation ', oid::regclass, ' ', version, ' ', relfilenode) as is from relations
    union all
    select concat('column ', attrelid::regclass, ' ', attname, ' ', xmin) from pg_attribute
     where attrelid in (select oid from relations)
    union all
    select concat('constraint ', conname, ' ', xmin) from pg_constraint where conrelid in (select oid from relations)
    union all
    select concat('trigger ', tgname, ' ', xmin) from pg_trigger where tgrelid in (select oid from relations)
    union all
    select concat('policy ', polname, ' ', xmin) from pg_policy
    union all
    select concat('function ', proname, ' ', xmin) from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select concat('schema ', nspname, ' ', xmin) from pg_namespace where nspname <> 'drizzle'
     order by 1`
  return rows.map(row => row.is)
}

const undo = new Error('rolled back on purpose')

/** As superuser, in a transaction that is rolled back. */
async function undone({ admin }: TestDatabase, work: (tx: Database) => Promise<void>): Promise<void> {
  const transaction = drizzle({ client: admin }).transaction(async tx => {
    await work(tx)
    throw undo
  })
  await transaction.catch(error => {
    if (error !== undo) throw error
  })
}

async function ledgerIn(tx: Database): Promise<{ schema: string | null; ledger: string | null }[]> {
  return await tx.execute(
    sql`select to_regnamespace('drizzle')::text as schema, to_regclass('drizzle.__drizzle_migrations')::text as ledger`,
    'objects',
  )
}

const noLedger = [{ schema: null, ledger: null }]

test('a database that other means built is recorded at the baseline, and nothing of it is touched', async () => {
  const at = await database(built)
  await fill(at.admin, { users: 1000, memories: 3000 })
  const state = async () => ({
    catalog: await readCatalog(at.admin),
    rows: await readRows(at.admin, everything),
    versions: await versions(at),
  })
  const before = await state()
  const [open] = await at.sql`select has_table_privilege('anon', 'public.user_agents', 'truncate') as anon`
  expect(open).toEqual({ anon: true })

  const plan = await adopt(at.db, { dryRun: true })
  expect(await at.sql`select to_regnamespace('drizzle') as there`).toEqual([{ there: null }])
  const report = await adopt(at.db)
  expect(report).toEqual(plan)
  expect(report).toMatchObject({ at: baseline, recorded: [expect.stringMatching(/_create_the/), baseline] })
  expect(await state()).toEqual(before)

  // The ledger is the one that migrating writes.
  const entries = (database: TestDatabase) =>
    database.admin`select id, hash, created_at, name from drizzle.__drizzle_migrations order by id`
  const migrated = await database('baseline')
  expect(await entries(at)).toEqual(await entries(migrated))
  expect(await adopt(at.db)).toEqual({ at: baseline, recorded: [], replaced: [] })
  expect(await entries(at)).toHaveLength(2)
})

test('what a later migration sets anew may differ, and is listed with that migration', async () => {
  const at = await database(built)
  const { replaced } = await adopt(at.db, { dryRun: true })
  expect(replaced.map(({ by }) => by)).toEqual(replaced.map(() => expand))
  const differing = replaced.map(({ difference: { object, fact } }) => `${object}: ${fact}`)
  const tables = ['llms', 'memories', 'profiles', 'user_agent_catalog', 'user_agents']
  const signUps = 'function public.create_profile_for_new_user()'
  expect(differing.sort()).toEqual(
    [
      ...['anon', 'authenticated'].flatMap(role =>
        tables.map(name => `table public.${name}: grants to ${role}`),
      ),
      ...['anon', 'authenticated', 'public', 'service_role'].map(role => `${signUps}: grants to ${role}`),
      `${signUps}: body`,
      `${signUps}: configuration`,
    ].sort(),
  )
  for (const { difference } of replaced) expect(difference.message).not.toBe('')
})

test('an adopted database goes up, is as it should be there, and comes back byte for byte', async () => {
  const at = await database(built)
  await fill(at.admin, { users: 1000, memories: 3000 })
  const before = await readRows(at.admin, everything)
  await adopt(at.db)
  expect((await migrate(at.db)).probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  const up = await check(at.db)
  expect(up.differences).toEqual([])
  expect(hasDrift(up)).toBe(false)

  await rollback(at.db, { to: 'secure_the_agent_tables' })
  expect(await readRows(at.admin, everything)).toEqual(before)
  expect(hasDrift(await check(at.db))).toBe(false)

  await migrate(at.db)
  await seed(at.db, defaultSeedFiles())
  await signUp(at.admin)
  const seeded = await check(at.db)
  expect(seeded).toMatchObject({ at: expect.stringMatching(/_harden_the_tables$/), pending: [], ledger: [] })
  expect(hasDrift(seeded)).toBe(false)
})

describe('one thing otherwise', () => {
  let at: TestDatabase
  beforeAll(async () => {
    at = await createDatabase(built)
    return () => at.drop()
  })

  const nearMisses: Record<string, { sql: string; named: string | RegExp }> = {
    'an index is missing': {
      sql: 'drop index public.ix_memories_agent_type_status',
      named: 'index ix_memories_agent_type_status on table public.memories is missing',
    },
    'a check is missing': {
      sql: 'alter table public.memories drop constraint chk_memory_type_agent_id',
      named: 'constraint chk_memory_type_agent_id on table public.memories is missing',
    },
    'a check is another': {
      sql: `alter table public.user_agents drop constraint chk_agent_type,
              add constraint chk_agent_type check (agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION'))`,
      named: 'constraint chk_agent_type on table public.user_agents is: ',
    },
    'a constraint is called otherwise': {
      sql: 'alter table public.llms rename constraint uq_llms_model_code to llms_model_code_key',
      named: 'constraint uq_llms_model_code on table public.llms is called llms_model_code_key',
    },
    'a constraint is not valid': {
      sql: `alter table public.profiles drop constraint fk_profiles_id, add constraint fk_profiles_id
              foreign key (id) references auth.users (id) on delete cascade not valid`,
      named: 'NOT VALID',
    },
    'a unique constraint is missing': {
      sql: 'alter table public.user_agents drop constraint uq_user_agents_user_id_agent_type',
      named: 'constraint uq_user_agents_user_id_agent_type on table public.user_agents is missing',
    },
    'a foreign key does not cascade': {
      sql: `alter table public.memories drop constraint fk_memories_user_id, add constraint fk_memories_user_id
              foreign key (user_id) references auth.users (id)`,
      named: 'constraint fk_memories_user_id on table public.memories is: ',
    },
    'a policy is missing': {
      sql: 'drop policy anon_select_llms on public.llms',
      named: 'policy anon_select_llms on table public.llms is missing',
    },
    'a policy lets through': {
      sql: 'alter policy anon_select_memories on public.memories using (true)',
      named: 'policy anon_select_memories on table public.memories is: ',
    },
    'there is a further policy': {
      sql: 'create policy own on public.profiles for select to authenticated using (id = auth.uid())',
      named: 'policy own on table public.profiles is there, and should not be',
    },
    'row level security is off': {
      sql: 'alter table public.user_agents disable row level security',
      named: 'row level security of table public.user_agents is: disabled',
    },
    'a column has another type': {
      sql: 'alter table public.llms alter column provider type varchar(60)',
      named: 'column provider on table public.llms is: character varying(60)',
    },
    'a column may be null': {
      sql: 'alter table public.memories alter column content drop not null',
      named: 'column content on table public.memories is: text; it should be: text not null',
    },
    'a column has another default': {
      sql: 'alter table public.user_agent_catalog alter column id drop default',
      named: 'column id on table public.user_agent_catalog',
    },
    'there is a further column': {
      sql: 'alter table public.profiles add column locale text',
      named: 'column locale on table public.profiles is there, and should not be',
    },
    'the trigger is missing': {
      sql: 'drop trigger on_auth_user_created on auth.users',
      named: 'on_auth_user_created',
    },
    'the trigger is disabled': {
      sql: 'alter table auth.users disable trigger on_auth_user_created',
      named: ', disabled; it should be: ',
    },
    'the function is missing': {
      sql: 'drop function public.create_profile_for_new_user() cascade',
      named: 'function public.create_profile_for_new_user() is missing',
    },
    'the function belongs to another role': {
      sql: 'alter function public.create_profile_for_new_user() owner to service_role',
      named: 'owner of function public.create_profile_for_new_user() is: service_role',
    },
    'a role that no migration knows has a grant': {
      sql: 'grant select on public.profiles to authenticator',
      named: 'authenticator has SELECT on table public.profiles, and should have nothing',
    },
    'a client may pass its grant on': {
      sql: 'grant select on public.profiles to anon with grant option',
      named: /anon has .*may pass on SELECT on table public.profiles/,
    },
    'service_role may pass its grants on': {
      sql: 'grant all on public.profiles to service_role with grant option',
      named: /service_role has .*may pass on/,
    },
    'a table is missing': {
      sql: 'drop table public.user_agents cascade',
      named: 'table public.user_agents is missing',
    },
    'a table of others has a later name': {
      sql: 'create table public.system_agents (id int)',
      named: 'table public.system_agents is there, and should not be',
    },
    'a schema of others has a later name': {
      sql: `create schema archive authorization ${DEPLOYER.role}`,
      named: 'the comment of schema archive is: not set; it should be: Kept by @agents/db',
    },
    'a trigger of others is on a table of ours': {
      sql: `create trigger later before update on public.llms
              for each row execute function suppress_redundant_updates_trigger()`,
      named: 'trigger later on table public.llms is there, and should not be',
    },
  }

  test.for(Object.entries(nearMisses))('%s: refused, named, and nothing is written', async ([, miss]) => {
    await undone(at, async tx => {
      await tx.execute(sql.raw(miss.sql))
      const error = await adopt(tx).catch(error => error)
      expect(error).toBeInstanceOf(MigrationError)
      expect(error).toMatchObject({
        code: 'NOT_ADOPTABLE',
        message: expect.stringMatching(/Nothing was recorded/),
      })
      expect(error.message).toContain('secure_the_agent_tables')
      if (typeof miss.named === 'string') expect(error.message).toContain(miss.named)
      else expect(error.message).toMatch(miss.named)
      // The difference and what follows from it, but nothing of what would be replaced.
      expect(error.message.split('\n').length).toBeLessThan(8)
      expect(await ledgerIn(tx)).toEqual(noLedger)
    })
  })

  const harmless: Record<string, string> = {
    nothing: 'select',
    'a further index': 'create index on public.memories (created_at)',
    'a trigger of others on auth.users': `
      create trigger theirs after insert on auth.users for each row execute function suppress_redundant_updates_trigger()`,
    'a function of others with a name of ours': `
      create function public.create_profile_for_new_user(text) returns int language sql as 'select 1'`,
    'a grant on a column to a client': 'grant select (bio) on public.profiles to anon',
    'a key of others to ours': 'create table public.notes (owner uuid references public.user_agents (id))',
    'a ledger without a row': `
      create schema drizzle; create table drizzle.__drizzle_migrations (
        id serial primary key, hash text not null, created_at bigint, name text, applied_at timestamptz default now())`,
  }

  test.for(Object.entries(harmless))('%s: adopted all the same', async ([, change]) => {
    await undone(at, async tx => {
      await tx.execute(sql.raw(change))
      expect(await adopt(tx)).toMatchObject({ at: baseline, recorded: { length: 2 } })
    })
  })

  const by = DEPLOYER.role
  const rights: { given: string; sql: string; refused?: RegExp; mended?: string }[] = [
    { given: 'no schema, and CREATE on the database', sql: 'select' },
    { given: 'its own empty schema', sql: `create schema drizzle authorization ${by}` },
    {
      given: 'no schema, and no CREATE on the database',
      sql: 'alter database %I owner to session_user',
      refused:
        /cannot be made: permission denied for database .*hint: .*create schema if not exists drizzle/s,
      mended: `create schema drizzle; grant usage, create on schema drizzle to ${by}`,
    },
    {
      given: 'a schema of another, with CREATE',
      sql: `create schema drizzle; grant usage, create on schema drizzle to ${by}`,
    },
    {
      given: 'a schema of another, without CREATE',
      sql: `create schema drizzle; grant usage on schema drizzle to ${by}`,
      refused: /cannot be made: permission denied for schema drizzle .*hint: .*grant usage, create/s,
      mended: `grant usage, create on schema drizzle to ${by}`,
    },
    {
      given: 'a schema of another, without any right',
      sql: 'create schema drizzle',
      refused: /cannot be made: permission denied for schema drizzle .*hint: .*grant usage, create/s,
      mended: `grant usage, create on schema drizzle to ${by}`,
    },
    {
      given: 'a ledger of another, in a schema it may not use',
      sql: 'create schema drizzle; create table drizzle.__drizzle_migrations (id serial, hash text, created_at bigint, name text, applied_at timestamptz)',
      refused:
        /cannot be read: permission denied for schema drizzle .*hint: .*grant usage on schema drizzle/s,
      mended: `grant usage on schema drizzle to ${by}; grant all on all tables in schema drizzle to ${by};
               grant all on all sequences in schema drizzle to ${by}`,
    },
    {
      given: 'a ledger of another, to be read only',
      sql: `create schema drizzle; grant usage on schema drizzle to ${by};
            create table drizzle.__drizzle_migrations (id serial, hash text, created_at bigint, name text, applied_at timestamptz);
            grant select on drizzle.__drizzle_migrations to ${by}`,
      refused:
        /cannot be written: permission denied for table .*hint: .*grant all on all tables in schema drizzle/s,
      mended: `grant all on all tables in schema drizzle to ${by}; grant all on all sequences in schema drizzle to ${by}`,
    },
  ]

  const titled = rights.map(right => {
    const outcome = right.refused ? 'it says what to do, and adopts once that is done' : 'it adopts'
    return [`with ${right.given} ${outcome}`, right] as const
  })
  test.for(titled)('%s', async ([, { sql: given, refused, mended }]) => {
    await undone(at, async tx => {
      await tx.execute(sql.raw(given.replace('%I', `"${at.name}"`)))
      const asDeployer = async <T>(work: () => Promise<T>): Promise<T> => {
        await tx.execute(sql.raw(`set local session authorization ${by}`))
        try {
          return await work()
        } finally {
          await tx.execute(sql`reset session authorization`)
        }
      }
      if (refused) {
        const before = await ledgerIn(tx)
        const error = await asDeployer(() => adopt(tx).catch(error => error))
        expect(error).toMatchObject({ code: 'STATEMENT_FAILED', sqlState: '42501' })
        expect(error.message).toMatch(refused)
        expect(await ledgerIn(tx)).toEqual(before)
      }
      if (mended) await tx.execute(sql.raw(mended))
      expect(await asDeployer(() => adopt(tx))).toMatchObject({ at: baseline, recorded: { length: 2 } })
      expect(
        await tx.execute(sql`select name from drizzle.__drizzle_migrations order by name`, 'objects'),
      ).toEqual([{ name: expect.stringMatching(/_create_the/) }, { name: baseline }])
    })
  })
})

test('in an empty database there is nothing of ours, and it is said so', async () => {
  const at = await database('standin_old')
  await expect(adopt(at.db)).rejects.toMatchObject({
    code: 'NOT_ADOPTABLE',
    message: expect.stringContaining('nothing of ours in this database: `migrate` makes it'),
  })
  expect(await ledgerIn(at.db)).toEqual(noLedger)
})

test.for([
  ['baseline', 'secure_the_agent_tables'],
  // What comes between these only moves rows, which no catalog tells, and can be run again.
  ['expanded', 'serve_both_applications'],
  ['contracted', 'rename_the_catalog_and_drop_user_agents'],
  ['today', 'harden_the_tables'],
] as const)('the %s state whose ledger was lost is adopted at %s', async ([state, name]) => {
  const at = await database(state)
  if (state === 'expanded') await rollback(at.db, { to: 'secure_the_agent_tables' })
  if (state === 'expanded') await fill(at.admin, { users: 20, memories: 60 })
  if (state === 'expanded') await migrate(at.db, { to: 'archive_what_users_own' })
  const before = await readRows(at.admin, everything)
  const ledger = await at.admin`select hash, created_at, name from drizzle.__drizzle_migrations order by id`
  await at.admin`drop schema drizzle cascade`

  const { at: found, recorded, replaced } = await adopt(at.db)
  expect({ found, replaced }).toEqual({ found: expect.stringContaining(`_${name}`), replaced: [] })
  expect(await at.admin`select hash, created_at, name from drizzle.__drizzle_migrations order by id`).toEqual(
    ledger.slice(0, recorded.length),
  )
  expect(await readRows(at.admin, everything)).toEqual(before)

  if (state === 'expanded') {
    await migrate(at.db, { to: 'archive_what_users_own' })
    expect(await readRows(at.admin, everything)).toEqual(before)
  }
  await migrate(at.db)
  expect(hasDrift(await check(at.db))).toBe(false)
})

test('an archive that was ended, or kept on the way down, stands in no way', async () => {
  const ended = await database('today')
  await dropArchive(ended.db)
  await ended.admin`drop schema drizzle cascade`
  expect(await adopt(ended.db)).toMatchObject({
    at: expect.stringMatching(/_harden_the_tables$/),
    replaced: [],
  })

  const kept = await database('today')
  await seed(kept.db, defaultSeedFiles())
  await kept.admin`update public.system_agents set agent_type = 'A_FOURTH' where agent_type = 'TASK_EXECUTION'`
  await rollback(kept.db, { to: 'secure_the_agent_tables' })
  await kept.admin`drop schema drizzle cascade`
  expect(await kept.admin`select agent_type from archive.system_agents`).toEqual([{ agent_type: 'A_FOURTH' }])
  expect(await adopt(kept.db)).toMatchObject({ at: baseline, replaced: [] })
  await migrate(kept.db)
  expect(hasDrift(await check(kept.db))).toBe(false)
})

test('two at once both succeed, and each migration is recorded once', async () => {
  const at = await database(built)
  const reports = await Promise.all(Array.from({ length: 4 }, () => adopt(at.db)))
  expect(reports.map(({ recorded }) => recorded.length).sort()).toEqual([0, 0, 0, 2])
  for (const report of reports) expect(report.at).toEqual(baseline)
  expect(await readLedger(at.admin)).toHaveLength(2)
})

test('while another migrator is at work it waits for its turn, and then sees what that one recorded', async () => {
  const at = await database(built)
  let asked = 0
  const logger = {
    logQuery: (query: string) => {
      if (query.includes('pg_try_advisory_xact_lock')) asked += 1
    },
  }
  const second = drizzle({ client: at.sql, logger })
  const { adopting } = await at.db.transaction(async tx => {
    const report = await adopt(tx)
    expect(report.recorded).toHaveLength(2)
    const adopting = adopt(second)
    await expect.poll(() => asked, { interval: 5 }).toBeGreaterThan(2)
    return { adopting }
  })
  expect(await adopting).toEqual({ at: baseline, recorded: [], replaced: [] })
  expect(await readLedger(at.admin)).toHaveLength(2)
})

test('beside a migrate both succeed', async () => {
  const at = await database('contracted')
  const [migrated, adopted] = await Promise.all([migrate(at.db), adopt(at.db)])
  expect(migrated.applied).toHaveLength(2)
  expect(adopted).toMatchObject({ recorded: [], replaced: [] })
  expect(await status(at.db)).toMatchObject({ applied: { length: 8 }, pending: [] })
})
