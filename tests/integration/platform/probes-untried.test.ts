import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { migrate } from '../../../src/migrate.ts'
import { createDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { fill } from '../../support/rows.ts'
import { furtherMigration, idea, signUps } from './further-migration.ts'

const further = furtherMigration()

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
    await undone(drizzle({ client: at.admin }), async tx => {
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
      await undone(drizzle({ client: at.admin }), async tx => {
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
    await undone(drizzle({ client: at.admin }), async tx => {
      await tx.execute(sql.raw(strangers['refuses sign-ups without e-mail']!.sql))
      await tx.execute(sql.raw(signUps(`raise exception 'no more users';`)))
      await expect(migrate(tx, { folder: further.folder })).rejects.toMatchObject({
        code: 'PROBE_FAILED',
        message: expect.stringContaining('a sign-up with e-mail: no more users'),
      })
    })
  })
})
