import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { readCatalogs } from '../../src/catalog/files.ts'
import type { Catalog } from '../../src/catalog/read.ts'
import type { Database } from '../../src/database.ts'
import { check, hasDrift, migrate, packagedMigrations, type Wait } from '../../src/migrations/index.ts'
import { probe, probeInTransaction } from '../../src/probes/probe.ts'
import { readCatalog } from '../support/catalog.ts'
import { runCli } from '../support/cli.ts'
import { createDatabase, signUp, type TestDatabase } from '../support/database.ts'
import { fill, readLedger, readRows } from '../support/rows.ts'
import { connect } from '../support/templates.ts'

const catalogs = readCatalogs(packagedMigrations())
const names = [...catalogs.keys()]
const today: Catalog = catalogs.get(names.at(-1)!)!
const idea = '29990101000000_a_later_idea'
const schemas = ['public', 'auth', 'archive']

async function database(template: string): Promise<TestDatabase> {
  const made = await createDatabase(template)
  onTestFinished(() => made.drop())
  return made
}

/** The package's migrations and one more, which leaves the tables as the last one has them. */
async function makeFolder() {
  const parent = await mkdtemp(join(tmpdir(), 'agents-db-probes-'))
  const folder = join(parent, 'drizzle')
  await cp(packagedMigrations(), folder, { recursive: true })
  await mkdir(join(folder, idea))
  await cp(join(folder, names.at(-1)!, 'catalog.json'), join(folder, idea, 'catalog.json'))
  return {
    folder,
    /** What the further migration does. */
    write: (text: string) => writeFile(join(folder, idea, 'migration.sql'), text),
    remove: () => rm(parent, { recursive: true, force: true }),
  }
}

let further: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  further = await makeFolder()
  return further.remove
})

async function everythingOf({ admin }: TestDatabase) {
  return {
    catalog: await readCatalog(admin, { archive: true }),
    grants: [
      ...(await admin`
        select oid::regclass::text as name, relacl::text as acl, xmin::text as version
          from pg_class where relnamespace::regnamespace::text = any (${[...schemas, 'drizzle']}) order by 1`),
    ],
    sequences: [
      ...(await admin`select schemaname, sequencename, last_value from pg_sequences order by 1, 2`),
    ],
    rows: await readRows(admin, [...schemas, 'drizzle']),
  }
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

const signUps = (body: string) => `
  create or replace function public.create_profile_for_new_user()
  returns trigger language plpgsql security definer set search_path = '' as $$
  begin ${body} end $$;`

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
    says: /no longer holds:\n {2}a sign-up without e-mail: not_null_violation/,
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
    says: /no longer holds:\n {2}anon can select nothing from public.memories: it met a row\nNothing/,
  },
  'insert is opened': {
    sql: 'alter policy anon_insert_llms on public.llms with check (true)',
    says: /no longer holds:\n {2}anon can insert nothing into public.llms: duplicate key/,
  },
  // Without the right to select, an update or delete that names no column is not bound by the policies for it.
  'update is opened': {
    sql: 'alter policy authenticated_update_profiles on public.profiles using (true) with check (true)',
    says: /no longer holds:\n {2}authenticated can update nothing of public.profiles: it met a row\nNothing/,
  },
  'delete is opened': {
    sql: 'alter policy authenticated_delete_system_agents on public.system_agents using (true)',
    says: /no longer holds:\n {2}authenticated can delete nothing from public.system_agents: it met a row\nNothing/,
  },
  'all is opened to a role': {
    sql: 'create policy open on public.llms to authenticated using (true)',
    says: /authenticated can select nothing from public.llms: it met a row\n.*insert.*\n.*update.*\n.*delete.*\nNothing/,
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
    says: /no longer holds:\n {2}anon cannot truncate public.memories: it holds the privilege\nNothing/,
  },
  'truncate is granted to everybody': {
    sql: 'grant truncate on public.llms to public',
    says: /anon cannot truncate public.llms: .*\n {2}authenticated cannot truncate public.llms: /,
  },
  'execute is granted': {
    sql: 'grant execute on function public.keep_updated_at() to anon',
    says: /no longer holds:\n {2}anon cannot execute public.keep_updated_at\(\): it holds the privilege\nNothing/,
  },
  'the archive is opened': {
    sql: 'grant usage on schema archive to anon; grant select on archive.user_agents to anon',
    says: /no longer holds:\n {2}anon cannot reach archive.user_agents: it holds the privilege\nNothing/,
  },
  'a column of the archive is opened': {
    sql: 'grant usage on schema archive to anon; grant select (agent_id) on archive.memory_agents to anon',
    says: /no longer holds:\n {2}anon cannot reach archive.memory_agents: it holds the privilege\nNothing/,
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
    expect(error.message).toContain('Nothing of this step was applied')
    expect(await everythingOf(at)).toEqual(before)
  })

  test('a client that may bypass row level security is found out', async () => {
    await further.write('alter role anon bypassrls')
    // Roles belong to the whole server: whatever comes of it, this is rolled back.
    await undone(at, async tx => {
      await expect(migrate(tx, { folder: further.folder })).rejects.toMatchObject({
        code: 'PROBE_FAILED',
        message: expect.stringContaining('anon can select nothing from public.llms: it met a row'),
      })
    })
  })

  test('a step that breaks nothing passes, and the report says what was tried', async () => {
    await further.write(`comment on table public.llms is 'harmless'`)
    const one = await database('today')
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

test('earlier steps of the same call stay, and once the file is mended the next call goes on', async () => {
  const at = await database('contracted')
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
  const at = await database('contracted')
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
    const at = await database(kind === 'empty' ? 'standin_old' : 'baseline')
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

describe('what the role may not try is said, and stops nothing', () => {
  let at: TestDatabase
  const limited = `${inject('run').prefix}limited`
  beforeAll(async () => {
    at = await createDatabase('baseline')
    await fill(at.admin, { users: 6, memories: 24 })
    await migrate(at.db)
    await further.write('select 1')
    await at.admin`create role ${at.admin(limited)} login bypassrls`
    await at.admin`grant usage on schema drizzle, auth to ${at.admin(limited)}`
    await at.admin`grant all on all tables in schema drizzle to ${at.admin(limited)}`
    await at.admin`grant all on all sequences in schema drizzle to ${at.admin(limited)}`
  })
  afterAll(async () => {
    await at.admin`drop owned by ${at.admin(limited)}`
    await at.admin`drop role ${at.admin(limited)}`
    await at.drop()
  })

  const owns = `
    alter table public.llms owner to ${limited}; alter table public.memories owner to ${limited};
    alter table public.profiles owner to ${limited}; alter table public.system_agents owner to ${limited};
    alter function public.create_profile_for_new_user() owner to ${limited};`
  const signsUp = `grant all on auth.users to ${limited};`
  const verbs = /^(anon|authenticated) on /

  const cases: Record<string, { rights: string; untried: RegExp; why: RegExp; passes: RegExp }> = {
    'a role that is no member of the clients': {
      rights: `${owns} ${signsUp} grant create on schema public to ${limited};`,
      untried: verbs,
      why: /permission denied to set role "(anon|authenticated)"/,
      passes: /^a sign-up/,
    },
    'a role that owns nothing': {
      rights: `${signsUp} grant anon, authenticated to ${limited}; grant all on all tables in schema public to ${limited};`,
      untried: verbs,
      why: /only its owner can grant what is to be tried/,
      passes: /^a sign-up/,
    },
    'a role that may not add users': {
      rights: `${owns} grant anon, authenticated to ${limited};`,
      untried: /^a sign-up/,
      why: /permission denied for table users/,
      passes: /can (select|insert|update|delete) nothing/,
    },
    'a role that may not even see auth': {
      rights: `${owns} grant anon, authenticated to ${limited}; revoke usage on schema auth from anon, authenticated, ${limited};`,
      untried: /^a sign-up/,
      why: /permission denied for schema auth/,
      passes: /can (select|insert|update|delete) nothing/,
    },
    'a role that may do nothing at all': {
      rights: `revoke usage on schema public from public;`,
      untried: /^(a sign-up|anon on|authenticated on)/,
      why: /permission denied for (table|schema)/,
      passes: /^anon cannot truncate/,
    },
  }

  test.for(Object.entries(cases))('%s', async ([, { rights, untried, why, passes }]) => {
    await undone(at, async tx => {
      await tx.execute(sql.raw(rights))
      await tx.execute(sql.raw(`set local session authorization ${limited}`))
      const { applied, probes } = await migrate(tx, { folder: further.folder })
      expect(applied.map(({ name }) => name)).toEqual([idea])
      const skipped = probes.filter(({ outcome }) => outcome === 'not tried')
      expect(skipped.length).toBeGreaterThan(1)
      for (const { what, why: reason } of skipped) {
        expect(what).toMatch(untried)
        expect(reason).toMatch(why)
      }
      expect(probes.filter(({ outcome }) => outcome === 'failed')).toEqual([])
      expect(probes.filter(({ what, outcome }) => passes.test(what) && outcome === 'passed')).not.toEqual([])
    })
  })

  const theirs = (timing: string, body: string) => `
    create function public.theirs() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
    create trigger aaa_theirs ${timing} insert on auth.users for each row execute function public.theirs()`
  const strangers: Record<string, { sql: string; untried: string[]; why: RegExp }> = {
    'refuses sign-ups without e-mail': {
      sql: theirs('before', `if new.email is null then raise exception 'we need your address'; end if;`),
      untried: ['a sign-up without e-mail'],
      why: /^we need your address \(SQLSTATE P0001\)$/,
    },
    'calls what is not there': {
      sql: theirs('after', 'perform public.not_there();'),
      untried: ['a sign-up with e-mail', 'a sign-up without e-mail'],
      why: /function public.not_there\(\) does not exist/,
    },
    'is called as ours is': {
      sql: `create schema app;
            create function app.create_profile_for_new_user() returns trigger language plpgsql
              as $$ begin raise exception 'not from here'; end $$;
            create trigger theirs before insert on auth.users
              for each row execute function app.create_profile_for_new_user()`,
      untried: ['a sign-up with e-mail', 'a sign-up without e-mail'],
      why: /^not from here/,
    },
    'lets nobody in without saying so': {
      sql: theirs('before', 'return null;'),
      untried: ['a sign-up with e-mail', 'a sign-up without e-mail'],
      why: /another trigger let nobody sign up/,
    },
  }

  test.for(Object.entries(strangers))(
    "somebody else's trigger on auth.users that %s",
    async ([, stranger]) => {
      await undone(at, async tx => {
        await tx.execute(sql.raw(stranger.sql))
        const { probes } = await migrate(tx, { folder: further.folder })
        const skipped = probes.filter(({ outcome }) => outcome !== 'passed')
        expect(skipped).toEqual(
          stranger.untried.map(what => ({
            what,
            outcome: 'not tried',
            why: expect.stringMatching(stranger.why),
          })),
        )
      })
    },
  )

  test("somebody else's trigger hides nothing that is wrong with ours", async () => {
    await undone(at, async tx => {
      await tx.execute(sql.raw(strangers['refuses sign-ups without e-mail']!.sql))
      await tx.execute(sql.raw(signUps(`raise exception 'no more users';`)))
      await expect(migrate(tx, { folder: further.folder })).rejects.toMatchObject({
        code: 'PROBE_FAILED',
        message: expect.stringContaining('a sign-up with e-mail: no more users'),
      })
    })
  })
})

function signal() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

/** A client that locks a table in a transaction, and leaves it open until told. */
async function lock({ adminUrl }: TestDatabase, table: string, mode: string) {
  const client = connect(adminUrl, { max: 1 })
  onTestFinished(() => client.end({ timeout: 5 }))
  const { promise: released, resolve: release } = signal()
  const { promise: locked, resolve: isLocked } = signal()
  const ended = client.begin(async tx => {
    await tx.unsafe(`lock table ${table} in ${mode} mode`)
    isLocked()
    await released
  })
  await locked
  return async () => {
    release()
    await ended
  }
}

describe('beside others', () => {
  test('a lock that keeps a probe waiting is waited for as any other, with the whole step', async () => {
    const at = await database('today')
    await further.write(`comment on table public.llms is 'harmless'`)
    const before = await everythingOf(at)
    const unlock = await lock(at, 'auth.users', 'share')
    const options = { folder: further.folder, lockTimeout: 50 }
    const error = await migrate(at.db, { ...options, retries: 1 }).catch(error => error)
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', sqlState: '55P03' })
    expect(error.message).toMatch(
      new RegExp(`^${idea}: the probes: .*SQLSTATE 55P03.*Gave up after 2 attempts`, 's'),
    )
    expect(await everythingOf(at)).toEqual(before)

    const waits: Wait[] = []
    const { promise: waited, resolve } = signal()
    const migrating = migrate(at.db, {
      ...options,
      onWait: wait => {
        if (waits.push(wait) === 2) resolve()
      },
    })
    await waited
    await unlock()
    const { applied, probes } = await migrating
    expect(applied).toHaveLength(1)
    expect(probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  })

  test('a check waits for a lock too, and tries again', async () => {
    const at = await database('today')
    const unlock = await lock(at, 'auth.users', 'share')
    const checking = check(at.db)
    const blocked = () =>
      at.admin`select from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and query like '%probe%'`
    await expect.poll(blocked, { interval: 5, timeout: 10_000 }).not.toEqual([])
    await expect.poll(blocked, { interval: 5, timeout: 10_000 }).toEqual([])
    await unlock()
    expect(hasDrift(await checking)).toBe(false)
  })

  test('checks at once do not disturb each other', async () => {
    const at = await database('today')
    const more = Array.from({ length: 4 }, () => connect(at.url, { max: 1 }))
    onTestFinished(async () => void (await Promise.all(more.map(client => client.end({ timeout: 5 })))))
    for (let round = 0; round < 10; round++) {
      const reports = await Promise.all(more.map(client => check(drizzle({ client }))))
      for (const report of reports) {
        expect(hasDrift(report)).toBe(false)
        expect(report.probes.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
      }
    }
  })

  test('clients that write meanwhile see no error, and wait for nothing', async () => {
    const at = await database('today')
    await at.admin`insert into public.llms (model_code, provider, display_name, status) values ('a', 'b', 'c', 'active')`
    const user = await signUp(at.admin)
    const clients = Array.from({ length: 4 }, () => connect(at.adminUrl, { max: 1 }))
    onTestFinished(async () => void (await Promise.all(clients.map(client => client.end({ timeout: 5 })))))
    const writes: ((client: postgres.Sql) => Promise<unknown>)[] = [
      client => signUp(client),
      client => client`
        insert into public.memories (user_id, memory_type, content, status) values (${user}, 'user', 'x', 'active')`,
      client => client`update public.llms set display_name = md5(random()::text)`,
      client => client`
        insert into public.system_agents (agent_type, llm_id, status)
        select 'TASK_EXECUTION', id, 'active' from public.llms limit 1
        on conflict (agent_type) do update set status = 'active'`,
    ]
    let going = true
    const took = writes.map(async (write, i) => {
      const result = { longest: 0, times: 0 }
      while (going) {
        const started = performance.now()
        await write(clients[i]!)
        result.longest = Math.max(result.longest, performance.now() - started)
        result.times += 1
      }
      return result
    })
    for (let n = 0; n < 10; n++) expect(hasDrift(await check(at.db))).toBe(false)
    going = false
    for (const { longest, times } of await Promise.all(took)) {
      expect(times).toBeGreaterThan(10)
      expect(longest).toBeLessThan(1000)
    }
  })
})

describe('nothing is left behind', () => {
  let at: TestDatabase
  beforeAll(async () => {
    at = await createDatabase('today')
    await fillToday(at)
  })
  afterAll(() => at.drop())

  test('by a check, whether it passes or fails', async () => {
    const before = await everythingOf(at)
    expect((await probe(at.db, today)).filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(await everythingOf(at)).toEqual(before)

    await at.sql`alter policy anon_delete_memories on public.memories using (true)`
    await at.sql`alter policy anon_update_llms on public.llms using (true)`
    const opened = await everythingOf(at)
    expect((await probe(at.db, today)).filter(({ outcome }) => outcome === 'failed')).toHaveLength(2)
    expect(await everythingOf(at)).toEqual(opened)
    await at.sql`alter policy anon_delete_memories on public.memories using (false)`
    await at.sql`alter policy anon_update_llms on public.llms using (false)`
  })

  test.for([
    { outcome: 'passed', change: 'select' },
    { outcome: 'failed', change: signUps(`raise exception 'no more users';`) },
    { outcome: 'failed', change: 'alter policy anon_select_memories on public.memories using (true)' },
  ])('in the transaction of somebody, after a probe has $outcome', async ({ outcome, change }) => {
    const settings = ['role', 'search_path', 'row_security', 'lock_timeout']
    const transaction = at.db.transaction(async tx => {
      await tx.execute(sql.raw(change))
      await tx.execute(sql`select set_config('search_path', 'public, auth', true)`)
      const state = async () => ({
        settings: await tx.execute(
          sql`select name, current_setting(name) as is from jsonb_array_elements_text(${JSON.stringify(settings)}::text::jsonb) name`,
          'objects',
        ),
        user: await tx.execute(sql`select current_user::text as is`, 'objects'),
        grants: await tx.execute(
          sql`select oid::regclass::text as name, relacl::text from pg_class where relnamespace = 'public'::regnamespace order by 1`,
          'objects',
        ),
        rows: await tx.execute(
          sql`select (select count(*) from auth.users) as users, (select count(*) from public.profiles) as profiles,
                     (select count(*) from public.llms) as llms, (select count(*) from public.memories) as memories`,
          'objects',
        ),
      })
      const before = await state()
      const probes = await probeInTransaction(tx, today)
      expect(probes.some(probe => probe.outcome === 'failed')).toBe(outcome === 'failed')
      expect(await state()).toEqual(before)
      throw undo
    })
    await transaction.catch(error => {
      if (error !== undo) throw error
    })
  })

  async function fillToday({ admin }: TestDatabase): Promise<void> {
    const user = await signUp(admin)
    await admin`insert into public.llms (model_code, provider, display_name, status) values ('a', 'b', 'c', 'active')`
    await admin`
      insert into public.memories (user_id, memory_type, content, status) values (${user}, 'user', 'x', 'active')`
  }
})
