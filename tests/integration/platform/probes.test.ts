import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { check, hasDrift, migrate } from '../../../src/migrate.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { names } from '../../support/migrations.ts'
import { fill, readLedger } from '../../support/rows.ts'
import { everythingOf, furtherMigration, idea, signUps } from './further-migration.ts'

const further = furtherMigration()
const bare = furtherMigration({ catalog: false })

const breakages: Record<string, { sql: string; says: RegExp; superuser?: true }> = {
  'the trigger raises': {
    sql: signUps(`raise exception 'no more users';`),
    says: /a sign-up with e-mail: no more users \(SQLSTATE P0001\)\n.*a sign-up without e-mail: no more users/,
  },
  'the trigger fails an assertion': {
    sql: signUps(`assert false, 'never'; return new;`),
    says: /a sign-up with e-mail: never/,
  },
  'the trigger does not compile': {
    sql: `set local check_function_bodies = off; ${signUps('this is no language;')}`,
    says: /a sign-up with e-mail: syntax error/,
  },
  'the trigger cannot do without an e-mail address': {
    sql: signUps(`insert into public.profiles (id, username) select new.id, lower(new.email);
                  perform 1 / length(new.email); if new.email is null then raise not_null_violation; end if; return new;`),
    says: /1 probe failed:\n {2}a sign-up without e-mail: not_null_violation/,
  },
  'the trigger makes no profile': {
    sql: signUps('return new;'),
    says: /a sign-up with e-mail: it makes no profile with a name/,
  },
  'the trigger makes a profile with an empty name': {
    sql: signUps(`insert into public.profiles (id, username) values (new.id, ''); return new;`),
    says: /a sign-up with e-mail: it makes no profile with a name/,
  },
  'the trigger has the rights of whoever signs up': {
    sql: 'alter function public.create_profile_for_new_user() security invoker',
    says: /a sign-up with e-mail: its function is not security definer/,
  },
  'the trigger is dropped': {
    sql: 'drop trigger on_auth_user_created on auth.users',
    says: /a sign-up without e-mail: it makes no profile with a name/,
    superuser: true,
  },
  'the trigger is disabled': {
    sql: 'alter table auth.users disable trigger on_auth_user_created',
    says: /a sign-up with e-mail: it makes no profile with a name/,
    superuser: true,
  },
  'the trigger is bound to updates': {
    sql: `create or replace trigger on_auth_user_created after update on auth.users
            for each row execute function public.create_profile_for_new_user()`,
    says: /a sign-up with e-mail: it makes no profile with a name/,
  },
  'a column that the trigger writes is renamed': {
    sql: 'alter table public.profiles rename column username to name',
    says: /a sign-up with e-mail: column "username" of relation "profiles" does not exist/,
  },
  'select is opened': {
    sql: 'alter policy anon_select_memories on public.memories using (true)',
    says: /1 probe failed:\n {2}anon can select nothing from public.memories: it met a row\nThe migration was rolled back/,
  },
  'insert is opened': {
    sql: 'alter policy anon_insert_llms on public.llms with check (true)',
    says: /1 probe failed:\n {2}anon can insert nothing into public.llms: duplicate key/,
  },
  // Without the right to select, an update or delete that names no column is not bound by the policies for it.
  'update is opened': {
    sql: 'alter policy authenticated_update_profiles on public.profiles using (true) with check (true)',
    says: /1 probe failed:\n {2}authenticated can update nothing of public.profiles: it met a row\nThe migration was rolled back/,
  },
  'delete is opened': {
    sql: 'alter policy authenticated_delete_system_agents on public.system_agents using (true)',
    says: /1 probe failed:\n {2}authenticated can delete nothing from public.system_agents: it met a row\nThe migration was rolled back/,
  },
  'all is opened to a role': {
    sql: 'create policy open on public.llms to authenticated using (true)',
    says: /authenticated can select nothing from public.llms: it met a row\n.*insert.*\n.*update.*\n.*delete.*\nThe migration was rolled back/,
  },
  'all is opened to everybody': {
    sql: 'create policy open on public.profiles using (true) with check (true)',
    says: /anon can select nothing from public.profiles: it met a row\n(.*\n){3}.*authenticated can select nothing/,
  },
  'row level security is off': {
    sql: 'alter table public.memories disable row level security',
    says: /anon can select nothing from public.memories: it met a row/,
  },
  'truncate is granted': {
    sql: 'grant truncate on public.memories to anon',
    says: /1 probe failed:\n {2}anon cannot truncate public.memories: it holds the privilege\nThe migration was rolled back/,
  },
  'truncate is granted to everybody': {
    sql: 'grant truncate on public.llms to public',
    says: /anon cannot truncate public.llms: .*\n {2}authenticated cannot truncate public.llms: /,
  },
  'execute is granted': {
    sql: 'grant execute on function public.keep_updated_at() to anon',
    says: /1 probe failed:\n {2}anon cannot execute public.keep_updated_at\(\): it holds the privilege\nThe migration was rolled back/,
  },
  'the archive is opened': {
    sql: 'grant usage on schema archive to anon; grant select on archive.user_agents to anon',
    says: /1 probe failed:\n {2}anon cannot reach archive.user_agents: it holds the privilege\nThe migration was rolled back/,
  },
  'a column of the archive is opened': {
    sql: 'grant usage on schema archive to anon; grant select (agent_id) on archive.memory_agents to anon',
    says: /1 probe failed:\n {2}anon cannot reach archive.memory_agents: it holds the privilege\nThe migration was rolled back/,
  },
}

describe('before the last step is committed', () => {
  let at: TestDatabase
  let before: Awaited<ReturnType<typeof everythingOf>>
  beforeAll(async () => {
    at = await createDatabase('baseline')
    await fill(at.admin, { users: 20, memories: 60 })
    await migrate(at.db)
    before = await everythingOf(at)
  })
  afterAll(() => at.drop())

  test.for(Object.entries(breakages))('%s: the step is undone, and says why', async ([, breakage]) => {
    await further.write(breakage.sql)
    const db = breakage.superuser ? drizzle({ client: at.admin }) : at.db
    const error = await migrate(db, { folder: further.folder }).catch(error => error)
    expect(error).toMatchObject({ code: 'PROBE_FAILED', message: expect.stringMatching(breakage.says) })
    expect(error.message).toContain(idea)
    expect(error.message).toContain('The migration was rolled back and is not applied')
    expect(await everythingOf(at)).toEqual(before)
  })

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

  test('a step that breaks nothing passes, and the report says what was tried', async () => {
    await further.write(`comment on table public.llms is 'harmless'`)
    const one = await ownDatabase('today')
    const { applied, probes } = await migrate(one.db, { folder: further.folder })
    expect(applied.map(({ name }) => name)).toEqual([idea])
    expect(probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    const tried = probes.map(({ what }) => what)
    for (const role of ['anon', 'authenticated']) {
      for (const table of ['llms', 'memories', 'profiles', 'system_agents']) {
        expect(tried).toEqual(
          expect.arrayContaining([
            `${role} can select nothing from public.${table}`,
            `${role} can insert nothing into public.${table}`,
            `${role} can update nothing of public.${table}`,
            `${role} can delete nothing from public.${table}`,
            `${role} cannot truncate public.${table}`,
          ]),
        )
      }
      expect(tried).toContain(`${role} cannot execute public.create_profile_for_new_user()`)
      expect(tried).toContain(`${role} cannot reach archive.user_agents`)
    }
    expect(tried).toContain('a sign-up with e-mail')
    expect(tried).toContain('a sign-up without e-mail')
    expect(new Set(tried).size).toBe(tried.length)
    expect(await migrate(one.db, { folder: further.folder })).toMatchObject({ applied: [], probes: [] })
  })
})

test('a step without a catalog.json is probed by the one before it, and check says that nothing was compared', async () => {
  const { db } = await ownDatabase('today')
  const { folder, write } = bare
  await write('alter table public.llms disable row level security')
  await expect(migrate(db, { folder })).rejects.toMatchObject({ code: 'PROBE_FAILED' })
  await write(`comment on table public.llms is 'harmless'`)
  expect((await migrate(db, { folder })).probes).toContainEqual({
    what: 'anon can select nothing from public.llms',
    outcome: 'passed',
  })
  const report = await check(db, { folder })
  expect(report).toMatchObject({ at: idea, ledger: [{ code: 'NO_CATALOG', names: [idea] }], differences: [] })
  expect(report.probes.length).toBeGreaterThan(0)
  expect(hasDrift(report)).toBe(true)
})

test('earlier steps of the same call stay, and once the file is mended the next call goes on', async () => {
  const at = await ownDatabase('contracted')
  await further.write('alter table public.memories disable row level security')
  await expect(migrate(at.db, { folder: further.folder })).rejects.toMatchObject({ code: 'PROBE_FAILED' })
  const applied = async () =>
    (await at.admin`select name from drizzle.__drizzle_migrations order by name`).map(r => r.name)
  expect(await applied()).toEqual(names)
  expect(hasDrift(await check(at.db))).toBe(false)

  await further.write('alter table public.memories enable row level security')
  const { applied: now, probes } = await migrate(at.db, { folder: further.folder })
  expect(now.map(({ name }) => name)).toEqual([idea])
  expect(probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(await applied()).toEqual([...names, idea])
})

test('the command exits with 4 when a probe fails, and goes on once that is mended', async () => {
  const at = await ownDatabase('contracted')
  await at.admin`alter table auth.users disable trigger on_auth_user_created`
  const failed = await runCli(['migrate', '--json'], { env: { DATABASE_URL: at.url } })
  expect(failed.code).toBe(4)
  expect(JSON.parse(failed.stdout).error).toMatchObject({ code: 'PROBE_FAILED' })
  expect(failed.stderr).toContain('a sign-up with e-mail: it makes no profile with a name')
  expect(await readLedger(at.admin)).toHaveLength(names.length - 1)
  await at.admin`alter table auth.users enable trigger on_auth_user_created`
  expect((await migrate(at.db)).applied).toHaveLength(1)
})

test.for(['empty', 'in use'])(
  'after each migration of a database that is %s everything is tried, and passes',
  async kind => {
    const at = await ownDatabase(kind === 'empty' ? 'stub_old' : 'baseline')
    if (kind === 'in use') {
      await fill(at.admin, { users: 20, memories: 60 })
      const { probes } = await check(at.db)
      expect(probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    }
    for (const name of kind === 'empty' ? names : names.slice(2)) {
      const { applied, probes } = await migrate(at.db, { to: name })
      expect(applied).toHaveLength(1)
      expect(probes.length).toBeGreaterThan(30)
      expect(
        probes.filter(({ outcome }) => outcome !== 'passed'),
        name,
      ).toEqual([])
    }
  },
)
