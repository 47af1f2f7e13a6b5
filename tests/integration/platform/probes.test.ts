import { readFileSync } from 'node:fs'
import { drizzle } from 'drizzle-orm/postgres-js'
import { describe, expect, test } from 'vitest'
import { check, hasDrift, migrate, rollback, status } from '../../../src/migrate.ts'
import { cliJson } from '../../support/cli.ts'
import { ownDatabase, sharedDatabase, undone } from '../../support/database.ts'
import { baseline, catalogs, last, named, names } from '../../support/migrations.ts'
import { fill, ledgerNames } from '../../support/rows.ts'
import { readCases } from '../../support/sql-cases.ts'
import { everythingOf, furtherMigration, idea, notPassed } from './further-migration.ts'

const further = furtherMigration()
const bare = furtherMigration({ catalog: false })

const signUps = [
  'a sign-up with e-mail',
  'a sign-up with a long username',
  'a sign-up with a short username',
  'a sign-up with a username of every kind of character',
  'a sign-up with a username that is no text',
  'a sign-up with a username that is taken',
  'a sign-up with an e-mail without @',
  'a sign-up with an empty username',
  'a sign-up without e-mail',
  'a sign-up without metadata',
]
const breakages = readCases(new URL('breakages.sql', import.meta.url))
const spell = (says: string[]) =>
  says.flatMap(line =>
    line.startsWith('every sign-up') ? signUps.map(what => line.replace('every sign-up', what)) : line,
  )

describe('before a migration is committed', () => {
  let before: Awaited<ReturnType<typeof everythingOf>>
  const at = sharedDatabase('baseline', async ({ admin, sql, db }) => {
    await fill(admin, { users: 20, memories: 60 })
    await migrate(db)
    await sql.unsafe(readFileSync(new URL('neighbours.sql', import.meta.url), 'utf8'))
    before = await everythingOf(at)
  })

  test.for(breakages)(
    '%s: the migration is undone, and the error says why',
    async ([, { group, sql, says }]) => {
      await further.write(sql)
      const db = group === 'by a superuser' ? drizzle({ client: at.admin }) : at.db
      const error = await migrate(db, { folder: further.folder }).catch(error => error)
      expect(error.code).toBe('PROBE_FAILED')
      const [first, ...failed] = error.message.split('\n').map((line: string) => line.trim())
      expect(failed.pop()).toBe('The migration was rolled back and is not applied.')
      expect(first).toBe(`${idea}: ${failed.length} ${failed.length === 1 ? 'probe' : 'probes'} failed:`)
      expect(failed).toEqual(spell(says))
      expect(await everythingOf(at)).toEqual(before)
    },
  )

  test('a client that may bypass row level security is found out', async () => {
    await further.write('alter role anon bypassrls')
    // Roles belong to the whole server: whatever comes of it, this is rolled back.
    await undone(drizzle({ client: at.admin }), async tx => {
      await expect(migrate(tx, { folder: further.folder })).rejects.toMatchObject({
        code: 'PROBE_FAILED',
        message: expect.stringContaining('anon can select nothing from public.llms: it met a row'),
      })
    })
  })

  test('a migration that breaks nothing passes, and the report says what was tried', async () => {
    await further.write(`comment on table public.llms is 'harmless'`)
    const one = await ownDatabase('today')
    const { applied, probes } = await migrate(one.db, { folder: further.folder })
    expect(applied.map(({ name }) => name)).toEqual([idea])
    expect(notPassed(probes)).toEqual([])
    const objects = Object.keys(catalogs.get(last)!)
    const kindOf = (kind: RegExp) =>
      objects.filter(name => kind.test(name)).map(name => name.replace(kind, ''))
    const wanted = ['anon', 'authenticated'].flatMap(role => [
      ...kindOf(/^table (?=public)/).flatMap(table => [
        `${role} can select nothing from ${table}`,
        `${role} can insert nothing into ${table}`,
        `${role} can update nothing of ${table}`,
        `${role} can delete nothing from ${table}`,
        `${role} cannot truncate ${table}`,
      ]),
      ...kindOf(/^function /).map(name => `${role} cannot execute ${name}`),
      ...kindOf(/^table (?=archive)/).map(table => `${role} cannot reach ${table}`),
    ])
    expect(probes.map(({ what }) => what).sort()).toEqual([...wanted, ...signUps].sort())
    expect(await migrate(one.db, { folder: further.folder })).toMatchObject({ applied: [], probes: [] })
  })
})

test('a migration without a catalog.json is probed by the one before it, and check says that nothing was compared', async () => {
  const { db } = await ownDatabase('today')
  const { folder } = bare
  await bare.write('alter table public.llms disable row level security')
  await expect(migrate(db, { folder })).rejects.toMatchObject({ code: 'PROBE_FAILED' })
  await bare.write(`comment on table public.llms is 'harmless'`)
  expect((await migrate(db, { folder })).probes).toContainEqual({
    what: 'anon can select nothing from public.llms',
    outcome: 'passed',
  })
  const report = await check(db, { folder })
  expect(report).toMatchObject({ at: idea, ledger: [{ code: 'NO_CATALOG', names: [idea] }], differences: [] })
  expect(report.probes.length).toBeGreaterThan(0)
  expect(hasDrift(report)).toBe(true)
})

test('earlier migrations of the same call stay, and once the file is mended the next call goes on', async () => {
  const at = await ownDatabase('contracted')
  await further.write('alter table public.memories disable row level security')
  await expect(migrate(at.db, { folder: further.folder })).rejects.toMatchObject({ code: 'PROBE_FAILED' })
  expect(await ledgerNames(at)).toEqual(names)
  expect(hasDrift(await check(at.db))).toBe(false)

  await further.write('alter table public.memories enable row level security')
  const { probes } = await migrate(at.db, { folder: further.folder })
  expect(notPassed(probes)).toEqual([])
  expect(await ledgerNames(at)).toEqual([...names, idea])
})

/** A trigger of somebody else's that names what the contract step drops. */
const namesAgentId = `
  create function public.note_agent() returns trigger language plpgsql as $$
  begin if new.agent_id is not null then perform 1; end if; return new; end $$;
  create trigger note_agent before insert or update on public.memories for each row execute function public.note_agent()`

test.each(['insert', 'update', 'delete'])(
  'a trigger on %s that names a dropped column fails a probe',
  async verb => {
    const at = await ownDatabase('today')
    const says = verb === 'delete' ? 'old' : 'new'
    await at.admin.unsafe(
      namesAgentId.replace('before insert or update', `before ${verb}`).replaceAll('new', says),
    )
    expect((await check(at.db)).probes).toContainEqual({
      what: 'a row in public.memories',
      outcome: 'failed',
      why: `record "${says}" has no field "agent_id" (SQLSTATE 42703)`,
    })
  },
)

test.each([
  ['create index ix_content on public.memories ((content::jsonb))', 'a row in public.memories'],
  ['create index ix_number on public.profiles ((username::integer))', 'a sign-up with a short username'],
])('an index that cannot be computed fails a probe: %s', async (index, what) => {
  const at = await ownDatabase('today')
  await at.sql.unsafe(index)
  const { probes, differences } = await check(at.db)
  expect(differences).toEqual([])
  expect(probes).toContainEqual({
    what,
    outcome: 'failed',
    why: expect.stringMatching(/^invalid input syntax for type/),
  })
})

test('a migration in the middle that breaks sign-ups is rolled back, up and down', async () => {
  const at = await ownDatabase('baseline')
  await migrate(at.db, { to: 'archive_user_agents' })
  const breakSignUps = `
    create function public.spoil() returns event_trigger language plpgsql security definer set search_path = '' as $$
    begin alter table auth.users disable trigger on_auth_user_created; end $$;
    create event trigger spoil on ddl_command_end when tag in ('CREATE TRIGGER') execute function public.spoil()`
  await at.admin.unsafe(breakSignUps)
  await expect(migrate(at.db)).rejects.toMatchObject({
    code: 'PROBE_FAILED',
    message: expect.stringMatching(/rename_catalog_and_drop_user_agents: \d+ probes failed/),
  })
  expect((await status(at.db)).applied.at(-1)?.name).toContain('drop_agent_id_constraints')
  await at.admin`drop event trigger spoil`
  await migrate(at.db)
  await at.admin`create event trigger spoil on ddl_command_end when tag in ('CREATE TRIGGER') execute function public.spoil()`
  await expect(rollback(at.db, { to: baseline })).rejects.toMatchObject({
    code: 'PROBE_FAILED',
    message: expect.stringContaining('was not undone'),
  })
  expect((await status(at.db)).applied.at(-1)?.name).toContain('rename_catalog_and_drop_user_agents')
})

test('the command exits with 4 when a probe fails, and goes on once that is mended', async () => {
  const at = await ownDatabase('contracted')
  await at.admin`alter table auth.users disable trigger on_auth_user_created`
  expect(await cliJson(at.url, 'migrate')).toMatchObject({
    code: 4,
    document: { error: { code: 'PROBE_FAILED' } },
    stderr: expect.stringContaining('a sign-up with e-mail: it makes no profile with a name'),
  })
  expect(await ledgerNames(at)).toEqual(
    names.slice(0, names.indexOf(named('rename_catalog_and_drop_user_agents')) + 1),
  )
  await at.admin`alter table auth.users enable trigger on_auth_user_created`
  expect((await migrate(at.db)).applied.at(-1)?.name).toBe(last)
})

test.for(['stub_old', 'baseline of 20 users and 60 memories'])(
  'over %s, after each migration everything is tried, and passes',
  async state => {
    const at = await ownDatabase(state)
    const { pending } = await status(at.db)
    expect(notPassed((await check(at.db)).probes)).toEqual([])
    for (const name of pending) {
      const { applied, probes } = await migrate(at.db, { to: name })
      expect(applied).toHaveLength(1)
      expect(probes.length).toBeGreaterThan(30)
      expect(notPassed(probes), name).toEqual([])
    }
  },
)
