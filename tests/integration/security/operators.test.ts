import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { defaultSeedFiles, seed } from '../../../src/seed.ts'
import { ownDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'

const operator = 'operator public.=(character varying,character varying)'

/** A role that may create in `public`, and whose operators note who runs them. */
async function withStranger(from: string) {
  const at = await ownDatabase(from)
  const stranger = `${at.name}_stranger`
  await at.admin.unsafe(`
    create role ${stranger}; grant create on schema public to ${stranger};
    create table public.ran_as (name name); grant all on public.ran_as to public;
    set role ${stranger};
    create function public.same(varchar, varchar) returns boolean language plpgsql as $$
    begin insert into public.ran_as values (current_user); return $1::text operator(pg_catalog.=) $2::text; end $$;
    create function public.btrim(varchar) returns text language sql as 'select $1::text';
    create operator public.= (leftarg = varchar, rightarg = varchar, function = public.same);
    reset role`)
  const leave = () => at.admin.unsafe(`drop owned by ${stranger}; drop role ${stranger}`)
  return { ...at, stranger, leave, ranAs: () => at.admin`select name from public.ran_as` }
}

test('an operator of another role in public stops a migration and a rollback, named with its owner', async () => {
  const at = await withStranger('contracted')
  try {
    for (const run of [migrate, rollback]) {
      const error = await run(at.db).catch(error => error)
      expect(error.code).toBe('BLOCKED')
      expect(error.message).toContain(`${operator} belongs to ${at.stranger}`)
      expect(error.message).toContain(`function public.btrim(character varying) belongs to ${at.stranger}`)
    }
    // The control: with the search_path of a migration, it is what a comparison means.
    await at.sql.unsafe(`set search_path = public; select 'a'::varchar = 'a'::varchar`)
    expect(await at.ranAs()).toHaveLength(1)
  } finally {
    await at.leave()
  }
  expect((await rollback(at.db, { to: baseline })).undone).not.toEqual([])
  expect(await at.ranAs()).toHaveLength(1)
})

test('a seed runs no operator of another role', async () => {
  const at = await withStranger('today')
  try {
    expect((await seed(at.db, defaultSeedFiles())).llms.created).not.toEqual([])
    await seed(at.db, defaultSeedFiles())
    expect(await at.ranAs()).toEqual([])
  } finally {
    await at.leave()
  }
})
