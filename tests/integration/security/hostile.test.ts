import type postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { sharedDatabase, undoneIn } from '../../support/database.ts'

const ours = ['llms', 'memories', 'profiles', 'system_agents', 'user_agent_catalog', 'user_agents']
const user = '5b7e0c1e-7a55-4d0c-9d3b-0e4f6a8c2d10'

/** A sign-up within the transaction, with the search_path that it has. */
async function signUp(tx: postgres.TransactionSql): Promise<void> {
  await tx`set local role supabase_auth_admin`
  await tx`insert into auth.users (id, email, raw_user_meta_data) values (${user}, null, '{}')`
  await tx`reset role`
}

describe.each(['baseline', 'expanded', 'contracted', 'today'])('in the state %s', state => {
  const database = sharedDatabase(state)

  test.each(['pg_temp', 'hostile'])(
    'a sign-up leaves the tables of schema %s alone, whatever they are called',
    async schema => {
      await undoneIn(database.admin, async tx => {
        if (schema === 'hostile') {
          await tx`create schema hostile`
          await tx`grant usage on schema hostile to public`
        }
        for (const name of ours.map(name => tx(`${schema}.${name}`))) {
          await tx`create table ${name} (id uuid, username text)`
          await tx`grant all on ${name} to public`
        }
        await tx`select set_config('search_path', ${`${schema}, public`}, true)`
        await signUp(tx)

        expect(await tx`select id from public.profiles`).toEqual([{ id: user }])
        expect(await tx`select id from profiles`).toEqual([])
        // Without the schema's name the hostile table is the one that is met.
        await tx`insert into profiles values (${user})`
        expect(await tx`select id from profiles`).toEqual([{ id: user }])
        expect(await tx`select id from ${tx(`${schema}.profiles`)}`).toEqual([{ id: user }])
      })
    },
  )

  test('a sign-up calls no function of a schema that stands before pg_catalog', async () => {
    await undoneIn(database.admin, async tx => {
      await tx`create schema hostile`
      await tx`grant usage on schema hostile to public`
      for (const name of ['"left"(text, int)', 'split_part(text, text, int)', 'btrim(text, text)'])
        await tx.unsafe(`create function hostile.${name} returns text language sql as $$ select 'hostile' $$`)
      await tx`set local search_path = hostile, pg_catalog, public`
      expect(await tx`select split_part('a@b', '@', 1) as name`).toEqual([{ name: 'hostile' }])
      await signUp(tx)
      expect(await tx`select username from public.profiles`).toEqual([{ username: 'user_5b7e0c1e' }])
    })
  })

  test('a sign-up uses no type of the session’s own, whose checks would run with the owner’s rights', async () => {
    await undoneIn(database.admin, async tx => {
      await tx`create table public.ran_as (name name)`
      await tx`grant all on public.ran_as to public`
      await tx.unsafe(`
        create function pg_temp.hostile(text) returns boolean language sql
        as $$ insert into public.ran_as values (current_user); select true $$`)
      for (const name of ['text', 'uuid', 'jsonb'])
        await tx.unsafe(`
          create domain pg_temp.${name} as pg_catalog.${name} check (pg_temp.hostile(value::pg_catalog.text))`)
      await signUp(tx)
      expect(await tx`select username from public.profiles`).toEqual([{ username: 'user_5b7e0c1e' }])
      expect(await tx`select name from public.ran_as`).toEqual([])

      // The trap works where a type is written without its schema.
      await tx`set local search_path = ''`
      await tx`select 'x'::text`
      expect(await tx`select from public.ran_as`).toHaveLength(1)
    })
  })
})
