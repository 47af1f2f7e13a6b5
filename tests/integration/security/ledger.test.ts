import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { check, migrate, rollback, status } from '../../../src/migrate.ts'
import { ownDatabase, type TestDatabase, undone } from '../../support/database.ts'

let at: TestDatabase
let stranger: string
beforeEach(async () => {
  at = await ownDatabase('contracted')
  stranger = `${at.name}_stranger`
  await at.admin.unsafe(`
    create role ${stranger};
    create table public.ran_as (name name); grant all on public.ran_as to public;
    grant all on schema drizzle to ${stranger};
    create schema theirs authorization ${stranger};
    set role ${stranger};
    create function theirs.note() returns trigger language plpgsql as $$
    begin insert into public.ran_as values (current_user); return null; end $$;
    reset role`)
})
afterEach(() => at.admin.unsafe(`drop owned by ${stranger} cascade; drop role ${stranger}`))

const runs = { migrate, rollback, status, check }
const notes = 'for each statement execute function theirs.note()'

async function expectRefused(says: RegExp, commands: (keyof typeof runs)[]) {
  for (const command of commands) {
    await expect(runs[command](at.db), command).rejects.toMatchObject({
      code: 'BLOCKED',
      message: expect.stringMatching(says),
    })
  }
  expect(await at.admin`select from public.ran_as`).toEqual([])
}

describe.each(['__drizzle_migrations', '__drizzle_migrations_scripts'])('%s', table => {
  const ledger = `drizzle.${table}`

  test('a ledger of another role, which runs its code, is refused, and named with its owner', async () => {
    await at.admin.unsafe(`
      alter table ${ledger} owner to ${stranger};
      grant all on ${ledger} to public;
      create trigger note after insert or update or delete on ${ledger} ${notes}`)
    // The control: a write runs their code with our rights.
    await at.sql.unsafe(`delete from ${ledger} where name = 'none'`)
    expect(await at.sql`delete from public.ran_as returning name = current_user as ours`).toEqual([
      { ours: true },
    ])
    await expectRefused(/belongs to \w+_stranger, who could/, ['migrate', 'rollback', 'status', 'check'])
  })

  test('a trigger whose function belongs to another role is refused', async () => {
    await at.admin.unsafe(`
      grant trigger on ${ledger} to ${stranger};
      grant execute on function theirs.note() to public;
      set role ${stranger}; create trigger note after insert or delete on ${ledger} ${notes}; reset role`)
    await expectRefused(/trigger note on .* belongs to \w+_stranger/, ['migrate', 'rollback'])
  })
})

test('a view in the place of the ledger is not even read', async () => {
  await at.admin.unsafe(`
    alter table drizzle.__drizzle_migrations rename to moved;
    grant all on drizzle.moved to ${stranger};
    set role ${stranger};
    create function theirs.spy() returns text language plpgsql as $$
    begin insert into public.ran_as values (current_user); return ''; end $$;
    create view drizzle.__drizzle_migrations as
      select id, hash || theirs.spy() as hash, created_at, name, applied_at from drizzle.moved;
    grant all on drizzle.__drizzle_migrations to public; grant all on schema theirs to public; reset role`)
  await expectRefused(/belongs to \w+_stranger/, ['migrate', 'rollback', 'status', 'check'])
})

test('a role that may only read a plain ledger of another role reads it', async () => {
  const reader = `${at.name}_reader`
  await at.admin.unsafe(`
    alter table drizzle.__drizzle_migrations owner to ${stranger};
    create role ${reader}; grant usage on schema drizzle to ${reader};
    grant select on all tables in schema drizzle to ${reader}`)
  try {
    await undone(drizzle({ client: at.admin }), async tx => {
      await tx.execute(sql.raw(`set local session authorization ${reader}`))
      expect((await status(tx)).applied).not.toEqual([])
    })
  } finally {
    await at.admin.unsafe(`drop owned by ${reader}; drop role ${reader}`)
  }
})
