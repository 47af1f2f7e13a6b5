import { expect, test } from 'vitest'
import { type MigrationError, migrate, planMigration, rollback } from '../../../src/migrate.ts'
import { cliJson } from '../../support/cli.ts'
import { databaseForEach } from '../../support/database.ts'
import { obstacles, unnamed } from '../../support/obstacles.ts'
import { readRows } from '../../support/rows.ts'

const at = databaseForEach('baseline of 20 users and 60 memories')

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
