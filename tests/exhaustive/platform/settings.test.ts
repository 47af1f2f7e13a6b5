import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { agentsForUser } from '../../../src/index.ts'
import { check, migrate, rollback } from '../../../src/migrate.ts'
import { seed } from '../../../src/seed.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownClient } from '../../support/client.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { readRows } from '../../support/rows.ts'
import { sample } from '../../support/sample.ts'
import { agent, documents, model } from '../../support/seed-texts.ts'
import { DEPLOYER, using } from '../../support/templates.ts'

/** What others may have set for a role or a database. */
const settings: Record<string, string[]> = {
  search_path: ['app, public', '', '"$user"', 'app', 'app, pg_catalog'],
  default_transaction_isolation: ['repeatable read', 'serializable'],
  default_transaction_read_only: ['on'],
  default_transaction_deferrable: ['on'],
  statement_timeout: ['1s'],
  lock_timeout: ['10ms'],
  idle_in_transaction_session_timeout: ['1s'],
  transaction_timeout: ['1s'],
  idle_session_timeout: ['1s'],
  row_security: ['off'],
  quote_all_identifiers: ['on'],
  standard_conforming_strings: ['off'],
  backslash_quote: ['off'],
  array_nulls: ['off'],
  transform_null_equals: ['on'],
  plan_cache_mode: ['force_generic_plan'],
  datestyle: ['SQL, DMY', 'German'],
  intervalstyle: ['sql_standard'],
  timezone: ['Pacific/Chatham'],
  bytea_output: ['escape'],
  extra_float_digits: ['-15'],
  check_function_bodies: ['off'],
  client_min_messages: ['error', 'debug5'],
  'plpgsql.variable_conflict': ['use_variable', 'use_column'],
  'plpgsql.extra_errors': ['all'],
  'plpgsql.extra_warnings': ['all'],
  restrict_nonsystem_relation_kind: ['view, foreign-table'],
  enable_seqscan: ['off'],
  jit_above_cost: ['0'],
  synchronous_commit: ['off'],
  xmloption: ['document'],
  default_statistics_target: ['1'],
  work_mem: ['64kB'],
}

/** A schema with tables of the same names, which are not ours. */
const decoys = `
  create schema app;
  create table app.llms (like public.llms including all);
  create table app.profiles (like public.profiles including all);
  create table app.memories (like public.memories including all);
  create table app.user_agents (like public.user_agents including all);
  create table app.user_agent_catalog (like public.user_agent_catalog including all);
  create table app.system_agents (like public.user_agent_catalog including all);
  insert into app.profiles (id, settings) values (gen_random_uuid(), '{}');
  create function app.jsonb_typeof(jsonb) returns text language sql as 'select ''decoy''';
  create function app.equal(varchar, varchar) returns boolean language sql as 'select true';
  create operator app.= (leftarg = varchar, rightarg = varchar, function = app.equal);
  alter schema app owner to ${DEPLOYER.role};
  grant all on all tables in schema app to ${DEPLOYER.role}`

/** What makes the repair of 20 profiles take longer than the timeout. */
const slow = `
  create function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.1); return new; end';
  create trigger slow before update on public.profiles for each row execute function public.slow()`

/** Everything: up, seed, check, what a backend asks, down, up. */
async function everything(at: TestDatabase): Promise<void> {
  const before = await readRows(at.admin)
  const foreign = () =>
    at.admin`select format('%s %s', c.relname, c.relkind) as object from pg_class c
              where relnamespace = 'app'::regnamespace order by 1`
  const decoys = { objects: await foreign(), rows: await readRows(at.admin, ['app']) }
  await migrate(at.db)
  await at.admin`drop function if exists public.slow() cascade`
  const catalog = await readCatalog(at.admin)
  const source = documents([model('m')], [agent('TASK_EXECUTION', 'm')])
  expect((await seed(at.db, source)).agents.updated).toHaveLength(1)
  const [user] = await at.admin`select id from public.profiles order by id limit 1`
  expect((await agentsForUser(at.db, user?.id)).map(({ agentType }) => agentType)).toContain('TASK_EXECUTION')
  const report = await check(at.db)
  expect(report).toMatchObject({ pending: [], ledger: [], differences: [] })
  expect(report.probes.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  await rollback(at.db, { to: baseline })
  const after = await readRows(at.admin)
  for (const table of ['public.profiles', 'public.user_agents', 'public.memories', 'auth.users'])
    expect({ table, rows: after[table] }).toEqual({ table, rows: before[table] })
  await migrate(at.db)
  expect(await readCatalog(at.admin)).toEqual(catalog)
  expect(catalog).toEqual(await readCatalog((await ownDatabase('today')).admin))
  expect({ objects: await foreign(), rows: await readRows(at.admin, ['app']) }).toEqual(decoys)
}

const most = Math.max(...Object.values(settings).map(values => values.length))
/** All settings at once, in as many rounds as one of them has values. */
const cases = Array.from({ length: most }, (_, round) =>
  Object.entries(settings).map(([name, values]) => ({ name, value: values[round % values.length]! })),
)

test.for(sample('settings', [...cases.entries()], 1))(
  'what others have set changes nothing: round %i',
  async ([, all]) => {
    const at = await ownDatabase('baseline of 20 users and 60 memories')
    await at.admin.unsafe(decoys)
    await at.admin.unsafe(slow)
    for (const { name, value } of all) {
      const literal = name === 'search_path' && value !== '' ? value : `'${value}'`
      const [known] = await at.admin`
      select current_setting(${name}, true) is not null or ${name}::text like 'plpgsql.%' as known`
      // Some came with PostgreSQL 17.
      if (known?.known) await at.admin.unsafe(setForDeployer(at, name, literal))
    }
    // The driver's own question about types would be under the role's timeout, and postgres.js waits for its answer for ever.
    const sql = ownClient(at.url, { max: 3, fetch_types: false })
    await everything({ ...at, sql, db: drizzle({ client: sql }) })
  },
)

const setForDeployer = (at: TestDatabase, name: string, literal: string) =>
  `alter role ${DEPLOYER.role} in database ${at.name} set ${name} = ${literal}`

test('a setting that the deployer may not change is named before anything runs', async () => {
  const at = await ownDatabase('stub_old')
  await at.admin.unsafe(setForDeployer(at, 'session_replication_role', 'replica'))
  const migrating = using(at.url, sql => migrate(drizzle({ client: sql })))
  await expect(migrating).rejects.toMatchObject({
    cause: { code: '42501', message: 'permission denied to set parameter "session_replication_role"' },
  })
  expect(await at.admin`select to_regclass('drizzle.__drizzle_migrations') as ledger`).toEqual([
    { ledger: null },
  ])
})
