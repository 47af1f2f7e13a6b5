import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeAll, expect, test } from 'vitest'
import { adopt, MigrationError } from '../../../src/migrate.ts'
import { createDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { placeOfLedger } from '../../support/rows.ts'
import { DEPLOYER } from '../../support/templates.ts'

const baseline = expect.stringMatching(/_secure_the_agent_tables$/)

let at: TestDatabase
beforeAll(async () => {
  at = await createDatabase('built')
  return () => at.drop()
})

const nearMisses: Record<string, { sql: string; named: string | RegExp }> = {
  'an index is missing': {
    sql: 'drop index public.ix_memories_agent_type_status',
    named: 'index ix_memories_agent_type_status on table public.memories is missing',
  },
  'a check is missing': {
    sql: 'alter table public.memories drop constraint chk_memory_type_agent_id',
    named: 'constraint chk_memory_type_agent_id on table public.memories is missing',
  },
  'a check is another': {
    sql: `alter table public.user_agents drop constraint chk_agent_type,
            add constraint chk_agent_type check (agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION'))`,
    named: 'constraint chk_agent_type on table public.user_agents is: ',
  },
  'a constraint is called otherwise': {
    sql: 'alter table public.llms rename constraint uq_llms_model_code to llms_model_code_key',
    named: 'constraint uq_llms_model_code on table public.llms is called llms_model_code_key',
  },
  'a constraint is not valid': {
    sql: `alter table public.profiles drop constraint fk_profiles_id, add constraint fk_profiles_id
            foreign key (id) references auth.users (id) on delete cascade not valid`,
    named: 'NOT VALID',
  },
  'a unique constraint is missing': {
    sql: 'alter table public.user_agents drop constraint uq_user_agents_user_id_agent_type',
    named: 'constraint uq_user_agents_user_id_agent_type on table public.user_agents is missing',
  },
  'a foreign key does not cascade': {
    sql: `alter table public.memories drop constraint fk_memories_user_id, add constraint fk_memories_user_id
            foreign key (user_id) references auth.users (id)`,
    named: 'constraint fk_memories_user_id on table public.memories is: ',
  },
  'a policy is missing': {
    sql: 'drop policy anon_select_llms on public.llms',
    named: 'policy anon_select_llms on table public.llms is missing',
  },
  'a policy lets through': {
    sql: 'alter policy anon_select_memories on public.memories using (true)',
    named: 'policy anon_select_memories on table public.memories is: ',
  },
  'there is a further policy': {
    sql: 'create policy own on public.profiles for select to authenticated using (id = auth.uid())',
    named: 'policy own on table public.profiles is there, and should not be',
  },
  'row level security is off': {
    sql: 'alter table public.user_agents disable row level security',
    named: 'row level security of table public.user_agents is: disabled',
  },
  'a column has another type': {
    sql: 'alter table public.llms alter column provider type varchar(60)',
    named: 'column provider on table public.llms is: character varying(60)',
  },
  'a column may be null': {
    sql: 'alter table public.memories alter column content drop not null',
    named: 'column content on table public.memories is: text; it should be: text not null',
  },
  'a column has another default': {
    sql: 'alter table public.user_agent_catalog alter column id drop default',
    named: 'column id on table public.user_agent_catalog',
  },
  'there is a further column': {
    sql: 'alter table public.profiles add column locale text',
    named: 'column locale on table public.profiles is there, and should not be',
  },
  'the trigger is missing': {
    sql: 'drop trigger on_auth_user_created on auth.users',
    named: 'on_auth_user_created',
  },
  'the trigger is disabled': {
    sql: 'alter table auth.users disable trigger on_auth_user_created',
    named: ', disabled; it should be: ',
  },
  'the function is missing': {
    sql: 'drop function public.create_profile_for_new_user() cascade',
    named: 'function public.create_profile_for_new_user() is missing',
  },
  'the function belongs to another role': {
    sql: 'alter function public.create_profile_for_new_user() owner to service_role',
    named: 'owner of function public.create_profile_for_new_user() is: service_role',
  },
  'a role that no migration knows has a grant': {
    sql: 'grant select on public.profiles to authenticator',
    named: 'authenticator has SELECT on table public.profiles, and should have nothing',
  },
  'a client may pass its grant on': {
    sql: 'grant select on public.profiles to anon with grant option',
    named: /anon has .*may pass on SELECT on table public.profiles/,
  },
  'service_role may pass its grants on': {
    sql: 'grant all on public.profiles to service_role with grant option',
    named: /service_role has .*may pass on/,
  },
  'a table is missing': {
    sql: 'drop table public.user_agents cascade',
    named: 'table public.user_agents is missing',
  },
  'a table of others has a later name': {
    sql: 'create table public.system_agents (id int)',
    named: 'table public.system_agents is there, and should not be',
  },
  'a schema of others has a later name': {
    sql: `create schema archive authorization ${DEPLOYER.role}`,
    named: 'the comment of schema archive is: not set; it should be: Kept by @agents/db',
  },
  'a trigger of others is on a table of ours': {
    sql: `create trigger later before update on public.llms
            for each row execute function suppress_redundant_updates_trigger()`,
    named: 'trigger later on table public.llms is there, and should not be',
  },
}

test.for(Object.entries(nearMisses))('%s: refused, named, and nothing is written', async ([, miss]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(miss.sql))
    const error = await adopt(tx).catch(error => error)
    expect(error).toBeInstanceOf(MigrationError)
    expect(error).toMatchObject({
      code: 'NOT_ADOPTABLE',
      message: expect.stringMatching(/Nothing was recorded/),
    })
    expect(error.message).toContain('secure_the_agent_tables')
    if (typeof miss.named === 'string') expect(error.message).toContain(miss.named)
    else expect(error.message).toMatch(miss.named)
    // The difference and what follows from it, but nothing of what would be replaced.
    expect(error.message.split('\n').length).toBeLessThan(8)
    expect(await placeOfLedger(tx)).toEqual([{ schema: null, ledger: null }])
  })
})

const harmless: Record<string, string> = {
  nothing: 'select',
  'a further index': 'create index on public.memories (created_at)',
  'a trigger of others on auth.users': `
    create trigger theirs after insert on auth.users for each row execute function suppress_redundant_updates_trigger()`,
  'a function of others with a name of ours': `
    create function public.create_profile_for_new_user(text) returns int language sql as 'select 1'`,
  'a grant on a column to a client': 'grant select (bio) on public.profiles to anon',
  'a key of others to ours': 'create table public.notes (owner uuid references public.user_agents (id))',
  'a ledger without a row': `
    create schema drizzle; create table drizzle.__drizzle_migrations (
      id serial primary key, hash text not null, created_at bigint, name text, applied_at timestamptz default now())`,
}

test.for(Object.entries(harmless))('%s: adopted all the same', async ([, change]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(change))
    expect(await adopt(tx)).toMatchObject({ at: baseline, recorded: { length: 2 } })
  })
})
