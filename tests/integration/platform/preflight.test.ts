import { expect, test } from 'vitest'
import { type MigrationError, migrate, planMigration, rollback } from '../../../src/migrate.ts'
import { stateOf } from '../../support/catalog.ts'
import { cliJson } from '../../support/cli.ts'
import { databaseForEach, type TestDatabase } from '../../support/database.ts'
import { readRows } from '../../support/rows.ts'

const at = databaseForEach('baseline of 20 users and 60 memories')

/** What a project may have made, and what stops the migration because of it. */
const obstacles: Record<string, [make: string, finds: string]> = {
  'a view': [
    'create view public.report as select user_id from public.user_agents',
    'view public.report depends on table public.user_agents, which MIGRATION drops',
  ],
  'a view of a column': [
    'create view public.busy as select agent_id from public.memories',
    'view public.busy depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a materialized view': [
    'create materialized view public.cached as select count(*) from public.user_agents',
    'materialized view public.cached depends on table public.user_agents, which MIGRATION drops',
  ],
  'a foreign key': [
    'create table public.favourites (agent_id uuid constraint fk_agent references public.user_agents)',
    'constraint fk_agent on public.favourites depends on table public.user_agents, which MIGRATION drops',
  ],
  'a function of its rows': [
    `create function public.label(public.user_agents) returns text language sql as 'select $1.status'`,
    'function public.label(public.user_agents) depends on table public.user_agents, which MIGRATION drops',
  ],
  'a function with a parsed body': [
    'create function public.agents() returns bigint language sql begin atomic select count(*) from public.user_agents; end',
    'function public.agents() depends on table public.user_agents, which MIGRATION drops',
  ],
  'a function whose body names a table': [
    `create function public.named() returns bigint language plpgsql as 'begin return (select count(*) from user_agents); end'`,
    'function public.named() names table public.user_agents, which MIGRATION drops',
  ],
  'a function whose body names a table that is renamed': [
    `create function public.catalog() returns bigint language sql as 'select count(*) from public.user_agent_catalog'`,
    'function public.catalog() names renamed table public.user_agent_catalog, which MIGRATION renames',
  ],
  'a trigger that names a column': [
    `create function public.note() returns trigger language plpgsql as 'begin perform new.agent_id; return new; end';
     create trigger note before insert on public.memories for each row execute function public.note()`,
    'function public.note() names column public.memories.agent_id, which MIGRATION drops',
  ],
  'a trigger on a column': [
    `create function public.moved() returns trigger language plpgsql as 'begin return new; end';
     create trigger moved before update of agent_id on public.memories for each row execute function public.moved()`,
    'trigger moved on public.memories depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a policy': [
    `create policy own on public.profiles for select to service_role using (exists (select from public.user_agents))`,
    'policy own on public.profiles depends on table public.user_agents, which MIGRATION drops',
  ],
  'a publication of a column': [
    `create publication feed for table public.memories (id, agent_id) with (publish = 'insert')`,
    'publication feed on public.memories depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a publication filtered by a column': [
    `create publication filtered for table public.memories where (agent_id is null) with (publish = 'insert')`,
    'publication filtered on public.memories depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a column': [
    'alter table public.user_agents add column nickname text',
    'column nickname on public.user_agents is not of these migrations: MIGRATION would lose its values',
  ],
  'a column of the catalog': [
    `alter table public.user_agent_catalog add column icon text not null default ''`,
    'column icon on public.user_agent_catalog is not of these migrations: MIGRATION would lose its values',
  ],
}

const drop = '20261122170830_rename_catalog_and_drop_user_agents'

/** The migration that is at fault, in each message. */
const unnamed = (message: string) => message.replaceAll(/\d{14}_\w+/g, 'MIGRATION')

const everything = ({ admin }: TestDatabase) => stateOf({ admin })

test.each(Object.entries(obstacles))(
  '%s stops a migration before anything runs, and is named',
  async (_, [make, finds]) => {
    await at.admin.unsafe(make)
    const before = await everything(at)
    const error: MigrationError = await migrate(at.db).catch(error => error)
    expect(error.code).toBe('BLOCKED')
    expect(error.message.split('\n').map(line => unnamed(line.trim()))).toContain(finds)
    expect(error.message).toContain('Nothing was run.')
    expect(await everything(at)).toEqual(before)
    const { findings } = await planMigration(at.db)
    expect(findings).toEqual(error.findings)
    expect(findings.map(({ migration }) => migration)).toContain(drop)
  },
)

test('all of it is listed at once, for people and programs, with exit code 1; and without it the migration runs', async () => {
  for (const [make] of Object.values(obstacles)) await at.admin.unsafe(make)
  const { code, document, stderr } = await cliJson(at.url, 'migrate')
  const expected = Object.values(obstacles).map(([, finds]) => finds)
  expect({ code, error: document.error.code }).toEqual({ code: 1, error: 'BLOCKED' })
  const messages = document.error.findings.map(({ message }: { message: string }) => unnamed(message))
  expect(messages.sort()).toEqual(expect.arrayContaining(expected.sort()))
  for (const line of expected) expect(unnamed(stderr)).toContain(line)
  const plan = await cliJson(at.url, 'migrate', '--plan')
  expect({ code: plan.code, findings: plan.document.findings }).toEqual({
    code: 1,
    findings: document.error.findings,
  })

  // What the old application needs may stay until its tables go.
  expect((await migrate(at.db, { to: 'add_agent_prompts' })).applied).toHaveLength(3)
})

test('nothing of ours, of an extension, or of other tables stops a migration', async () => {
  await at.admin.unsafe(`
    create table public.tickets (agent_id uuid);
    create function public.open_tickets() returns bigint language sql as 'select count(agent_id) from public.tickets';
    create function public.commented() returns int language plpgsql as 'begin /* user_agents */ return 1; -- user_agents
    end';
    create view public.people as select id, username from public.profiles;
    create view public.kinds as select agent_type from public.user_agent_catalog`)
  expect((await planMigration(at.db)).findings).toEqual([])
  await migrate(at.db)
  expect(await at.admin`select from public.kinds`).toHaveLength(3)
})

test('a function that knows both schemas can be ignored by its name', async () => {
  await at.admin.unsafe(`
    create function public.dual() returns bigint language plpgsql as $$
    begin if to_regclass('public.user_agents') is not null then return (select count(*) from public.user_agents); end if;
    return 0; end $$`)
  await expect(migrate(at.db)).rejects.toMatchObject({ code: 'BLOCKED' })
  await migrate(at.db, { ignore: ['function public.dual()'] })
  expect(await at.admin`select public.dual()::int as dual`).toEqual([{ dual: 0 }])
})

test('what goes with a table without a word is said before, with how to make it again', async () => {
  await at.admin.unsafe(`
    create index ix_theirs on public.memories (agent_id) where status = 'active';
    create publication feed for table public.user_agents;
    alter table public.user_agents replica identity full;
    alter table public.user_agents set (fillfactor = 70);
    comment on table public.user_agents is 'Agents of users';
    comment on column public.user_agents.config is 'It''s JSON'`)
  const { findings } = await planMigration(at.db)
  expect(findings.map(({ blocks }) => blocks)).not.toContain(true)
  expect(findings.map(({ object, definition }) => [object, definition])).toEqual(
    [
      [
        'comment on column public.user_agents.config',
        `comment on column public.user_agents.config is 'It''s JSON'`,
      ],
      ['comment on table public.user_agents', `comment on table public.user_agents is 'Agents of users'`],
      [
        'index ix_theirs on public.memories',
        `CREATE INDEX ix_theirs ON public.memories USING btree (agent_id) WHERE ((status)::text = 'active'::text)`,
      ],
      ['publication feed on public.user_agents', 'alter publication feed add table public.user_agents'],
      ['replica identity of public.user_agents', 'alter table public.user_agents replica identity full'],
      ['storage options of public.user_agents', 'alter table public.user_agents set (fillfactor=70)'],
    ].sort(),
  )
  const seen: string[] = []
  await migrate(at.db, { onFinding: ({ object }) => seen.push(object) })
  expect(seen).toEqual(findings.map(({ object }) => object))

  // As it says: a rollback does not make it again, its definition does.
  await rollback(at.db, { to: 'grant_agent_tables' })
  for (const { definition } of findings) await at.admin.unsafe(definition!)
  expect((await planMigration(at.db)).findings).toEqual(findings)
})

test('a rollback looks too, before anything is undone', async () => {
  await migrate(at.db)
  await at.admin.unsafe(`
    create view public.active as select agent_type from public.system_agents;
    create function public.types() returns bigint language sql as 'select count(*) from public.system_agents';
    create table public.watched (updated_at timestamptz);
    create trigger theirs before update on public.watched for each row execute function public.keep_updated_at()`)
  const before = await readRows(at.admin, ['public', 'archive', 'drizzle'])
  const error: MigrationError = await rollback(at.db, { to: 'grant_agent_tables' }).catch(error => error)
  expect(error.code).toBe('BLOCKED')
  expect(error.findings?.map(({ object, blocks }) => [object, blocks])).toEqual(
    expect.arrayContaining([
      ['function public.types()', true],
      ['trigger theirs on public.watched', false],
    ]),
  )
  expect(await readRows(at.admin, ['public', 'archive', 'drizzle'])).toEqual(before)
})
