import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeAll, expect, inject, test } from 'vitest'
import { migrate } from '../../../src/migrate.ts'
import { ownDatabase, sharedDatabase, undone } from '../../support/database.ts'
import { furtherMigration, idea, notPassed, signUps } from './further-migration.ts'

const further = furtherMigration()
const limited = `${inject('run').prefix}limited`
const at = sharedDatabase('baseline of 6 users and 24 memories', async ({ admin, db }) => {
  await migrate(db)
  await further.write('select 1')
  await admin.unsafe(`
    create role ${limited} login bypassrls;
    grant usage on schema drizzle, auth to ${limited};
    grant all on all tables in schema drizzle to ${limited};
    grant all on all sequences in schema drizzle to ${limited}`)
})
beforeAll(() => () => at.admin.unsafe(`drop owned by ${limited}; drop role ${limited}`))

const owns = `
  alter table public.llms owner to ${limited}; alter table public.memories owner to ${limited};
  alter table public.profiles owner to ${limited}; alter table public.system_agents owner to ${limited};
  alter function public.create_profile_for_new_user() owner to ${limited};`
const users = `grant all on auth.users to ${limited};`
const clients = `grant anon, authenticated to ${limited};`
const signsUp = /^a sign-up/
const verbs = /^(anon|authenticated) on /
const nothing = /can (select|insert|update|delete) nothing/

test.for<[who: string, rights: string, untried: RegExp, why: RegExp, passes: RegExp]>([
  [
    'is not a member of the clients',
    `${owns} ${users} grant create on schema public to ${limited};`,
    verbs,
    /permission denied to set role "(anon|authenticated)"/,
    signsUp,
  ],
  [
    'owns nothing',
    `${users} ${clients} grant all on all tables in schema public to ${limited};`,
    verbs,
    /only its owner can grant what is to be tried/,
    signsUp,
  ],
  ['may not add users', owns + clients, signsUp, /permission denied for table users/, nothing],
  [
    'may not even see auth',
    `${owns} ${clients} revoke usage on schema auth from anon, authenticated, ${limited};`,
    signsUp,
    /permission denied for schema auth/,
    nothing,
  ],
  [
    'may do nothing at all',
    `revoke usage on schema public from public;`,
    /^(a sign-up|anon on|authenticated on)/,
    /permission denied for (table|schema)/,
    /^anon cannot truncate/,
  ],
])('what a role may not try that %s is said, and stops nothing', async ([, rights, untried, why, passes]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(rights))
    await tx.execute(sql.raw(`set local session authorization ${limited}`))
    const { applied, probes } = await migrate(tx, { folder: further.folder })
    expect(applied.map(({ name }) => name)).toEqual([idea])
    const skipped = notPassed(probes)
    expect(skipped.length).toBeGreaterThan(1)
    for (const probe of skipped)
      expect(probe).toEqual({
        what: expect.stringMatching(untried),
        outcome: 'not tried',
        why: expect.stringMatching(why),
      })
    expect(probes.filter(({ what, outcome }) => passes.test(what) && outcome === 'passed')).not.toEqual([])
  })
})

const theirs = (timing: string, body: string) => `
  create function public.theirs() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
  create trigger aaa_theirs ${timing} insert on auth.users for each row execute function public.theirs()`
const needsAddress = theirs(
  'before',
  `if new.email is null then raise exception 'we need your address'; end if;`,
)
test.for<[what: string, by: string, untried: RegExp, why: RegExp]>([
  [
    'refuses sign-ups without e-mail',
    needsAddress,
    /^a sign-up without e-mail$/,
    /^we need your address \(SQLSTATE P0001\)$/,
  ],
  [
    'calls what is not there',
    theirs('after', 'perform public.not_there();'),
    signsUp,
    /function public.not_there\(\) does not exist/,
  ],
  [
    'is called as ours is',
    `create schema app;
     create function app.create_profile_for_new_user() returns trigger language plpgsql
       as $$ begin raise exception 'not from here'; end $$;
     create trigger theirs before insert on auth.users
       for each row execute function app.create_profile_for_new_user()`,
    signsUp,
    /^not from here/,
  ],
  [
    'lets nobody in without saying so',
    theirs('before', 'return null;'),
    signsUp,
    /another trigger let nobody sign up/,
  ],
])("somebody else's trigger on auth.users that %s stops nothing", async ([, by, untried, why]) => {
  const own = await ownDatabase('today')
  await own.admin.unsafe(by)
  const { probes } = await migrate(own.db, { folder: further.folder })
  const expected = {
    what: expect.stringMatching(untried),
    outcome: 'not tried',
    why: expect.stringMatching(why),
  }
  const skipped = notPassed(probes).filter(({ what }) => signsUp.test(what))
  expect(skipped).toEqual(skipped.map(() => expected))
  expect(skipped).toHaveLength(probes.filter(({ what }) => untried.test(what)).length)
})

test("somebody else's trigger hides nothing that is wrong with ours", async () => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(needsAddress))
    await tx.execute(sql.raw(signUps(`raise exception 'no more users';`)))
    await expect(migrate(tx, { folder: further.folder })).rejects.toMatchObject({
      code: 'PROBE_FAILED',
      message: expect.stringContaining('a sign-up with e-mail: no more users'),
    })
  })
})
