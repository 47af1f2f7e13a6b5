import { expect } from 'vitest'
import { DEPLOYER } from '../../support/templates.ts'

/** Something that somebody does to a database, and all that `check` is to say of it. */
export interface Mutation {
  what: string
  /** What somebody does to the database. */
  by: string
  /** Every difference that this makes, in any order. */
  differences: ReturnType<typeof changed>[]
}

const changed = (object: string, fact: string, is: string, should: string, message?: string) => ({
  object,
  fact: fact as string | null,
  expected: should as string | null,
  found: is as string | null,
  message:
    message ??
    (/^(column|constraint|index|policy|trigger|rule) /.test(fact)
      ? `${fact} on ${object} is: ${is}; it should be: ${should}`
      : `the ${fact} of ${object} is: ${is}; it should be: ${should}`),
})
const missing = (object: string, fact: string, should: string) => ({
  ...changed(object, fact, '', should, `${fact} on ${object} is missing`),
  found: null,
})
const extra = (object: string, fact: string, is: string) => ({
  ...changed(object, fact, is, '', `${fact} on ${object} is there, and should not be: ${is}`),
  expected: null,
})
const renamed = (object: string, fact: string, name: string, should: string) =>
  changed(object, fact, `${fact.split(' ')[0]} ${name}`, should, `${fact} on ${object} is called ${name}`)
const unset = (object: string, fact: string, should: string) => ({
  ...changed(object, fact, 'not set', should),
  found: null,
})
const set = (object: string, fact: string, is: string) => ({
  ...changed(object, fact, is, 'not set'),
  expected: null,
})
const gone = (object: string) => ({
  ...changed(object, '', '', '', `${object} is missing`),
  fact: null,
  found: null,
})
const granted = (object: string, to: string, is: string | null, should: string | null, place = '') => ({
  object,
  fact: `grants${place} to ${to}`,
  expected: should,
  found: is,
  message: `${to} has ${is ?? 'nothing'}${place} on ${object}, and should have ${should ?? 'nothing'}`,
})

const memories = 'table public.memories'
const agents = 'table public.system_agents'
const users = 'table auth.users'
const signUp = 'function public.create_profile_for_new_user()'
const policy = 'policy anon_select_memories'
const denied = 'permissive for select to anon using (false)'
const types = `CHECK (((memory_type)::text = ANY ((ARRAY['work'::character varying, 'user'::character varying])::text[])))`
const chk = 'constraint chk_memories_memory_type'
const fk = 'constraint fk_memories_user_id'
const toUsers = 'FOREIGN KEY (user_id) REFERENCES auth.users(id)'
const index = 'index ix_memories_user_id_memory_type_status'
const indexed = 'CREATE INDEX ON public.memories USING btree (user_id, memory_type, status)'
const onSignUp = 'trigger on_auth_user_created'
const calls = 'EXECUTE FUNCTION public.create_profile_for_new_user()'
const afterSignUp = `CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW ${calls}`
const keeps = (table: string) =>
  `CREATE TRIGGER BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION public.keep_updated_at()`

const onPolicies: Mutation[] = [
  {
    what: 'a policy that was dropped',
    by: 'drop policy anon_select_memories on public.memories',
    differences: [missing(memories, policy, denied)],
  },
  {
    what: 'a policy that lets everybody through',
    by: 'alter policy anon_select_memories on public.memories using (true)',
    differences: [changed(memories, policy, 'permissive for select to anon using (true)', denied)],
  },
  {
    what: 'a policy under another name',
    by: 'alter policy anon_select_memories on public.memories rename to "Nobody reads"',
    differences: [renamed(memories, policy, '"Nobody reads"', denied)],
  },
  {
    what: 'a policy for another role',
    by: 'alter policy anon_select_memories on public.memories to service_role, public',
    differences: [changed(memories, policy, 'permissive for select to public using (false)', denied)],
  },
  {
    what: 'a policy for another command',
    by: `drop policy anon_select_memories on public.memories;
         create policy anon_select_memories on public.memories for all to anon using (false)`,
    differences: [changed(memories, policy, 'permissive for all to anon using (false)', denied)],
  },
  {
    what: 'a policy made restrictive',
    by: `drop policy anon_select_memories on public.memories;
         create policy anon_select_memories on public.memories as restrictive for select to anon using (false)`,
    differences: [changed(memories, policy, 'restrictive for select to anon using (false)', denied)],
  },
  {
    what: 'a policy that checks what is written otherwise than what is there',
    by: 'alter policy anon_update_memories on public.memories with check (content <> $$$$)',
    differences: [
      changed(
        memories,
        'policy anon_update_memories',
        "permissive for update to anon using (false) with check ((content <> ''::text))",
        'permissive for update to anon using (false) with check (false)',
      ),
    ],
  },
  {
    what: 'a further policy',
    by: 'create policy own on public.memories for select to authenticated using (user_id = auth.uid())',
    differences: [
      extra(memories, 'policy own', 'permissive for select to authenticated using ((user_id = auth.uid()))'),
    ],
  },
  {
    what: 'row level security that is off',
    by: 'alter table public.memories disable row level security',
    differences: [changed(memories, 'row level security', 'disabled', 'enabled')],
  },
  {
    what: 'row level security that is forced on the owner too',
    by: 'alter table public.memories force row level security',
    differences: [changed(memories, 'row level security', 'enabled, forced', 'enabled')],
  },
]

const onGrants: Mutation[] = [
  {
    what: 'a grant to anon',
    by: 'grant select, insert on public.memories to anon',
    differences: [granted(memories, 'anon', 'INSERT, SELECT', null)],
  },
  {
    what: 'a grant of everything to authenticated',
    by: 'grant all on public.memories to authenticated',
    differences: [granted(memories, 'authenticated', 'all', null)],
  },
  {
    what: 'a grant of one column to anon',
    by: 'grant select (content) on public.memories to anon',
    differences: [granted(memories, 'anon', 'SELECT', null, ' on column content')],
  },
  {
    what: 'a grant to everybody',
    by: 'grant select on public.memories to public',
    differences: [granted(memories, 'public', 'SELECT', null)],
  },
  {
    what: 'a grant to service_role that was revoked',
    by: 'revoke all on public.memories from service_role',
    differences: [granted(memories, 'service_role', null, 'all')],
  },
  {
    what: 'a grant that may be passed on',
    by: 'grant select on public.memories to service_role with grant option',
    differences: [granted(memories, 'service_role', 'all; may pass on SELECT', 'all')],
  },
  {
    what: 'a grant that was passed on, told once whoever granted it',
    by: `grant select on public.memories to authenticated with grant option;
         grant select on public.memories to anon;
         set local role authenticated;
         grant select on public.memories to anon;
         reset role`,
    differences: [
      granted(memories, 'anon', 'SELECT', null),
      granted(memories, 'authenticated', 'SELECT; may pass on SELECT', null),
    ],
  },
  {
    what: 'privileges that the owner itself lost',
    by: `revoke all on public.memories from ${DEPLOYER.role}`,
    differences: [granted(memories, 'the deployer', null, 'all')],
  },
  {
    what: 'a function that everybody may call',
    by: 'grant execute on function public.create_profile_for_new_user() to public',
    differences: [granted(signUp, 'public', 'EXECUTE', null)],
  },
  {
    what: 'a function that anon may call',
    by: 'grant execute on function public.create_profile_for_new_user() to anon',
    differences: [granted(signUp, 'anon', 'EXECUTE', null)],
  },
  {
    what: 'an archive that anon may enter',
    by: 'grant usage on schema archive to anon; grant select on archive.profiles to anon',
    differences: [
      granted('schema archive', 'anon', 'USAGE', null),
      granted('table archive.profiles', 'anon', 'SELECT', null),
    ],
  },
]

const onColumns: Mutation[] = [
  {
    what: 'a default that a column should not have',
    by: `alter table public.memories alter column status set default 'active'`,
    differences: [
      changed(
        memories,
        'column status',
        "character varying(20) not null default 'active'::character varying",
        'character varying(20) not null',
      ),
    ],
  },
  {
    what: 'a default that a column lost',
    by: 'alter table public.memories alter column id drop default',
    differences: [changed(memories, 'column id', 'uuid not null', 'uuid not null default gen_random_uuid()')],
  },
  {
    what: 'a column of another type',
    by: 'alter table public.memories alter column status type varchar(40)',
    differences: [
      changed(memories, 'column status', 'character varying(40) not null', 'character varying(20) not null'),
    ],
  },
  {
    what: 'a column that may be null',
    by: 'alter table public.memories alter column content drop not null',
    differences: [changed(memories, 'column content', 'text', 'text not null')],
  },
  {
    what: 'a column that sorts otherwise',
    by: 'alter table public.memories alter column content type text collate "C"',
    differences: [changed(memories, 'column content', 'text collate "C" not null', 'text not null')],
  },
  {
    what: 'a further column',
    by: 'alter table public.memories add column "Mood" text',
    differences: [extra(memories, 'column "Mood"', 'text')],
  },
  {
    what: 'a column that was dropped',
    by: 'alter table public.memories drop column created_at',
    differences: [missing(memories, 'column created_at', 'timestamp with time zone not null default now()')],
  },
  {
    what: 'a column under another name',
    by: 'alter table public.memories rename column content to body',
    differences: [renamed(memories, 'column content', 'body', 'text not null')],
  },
]

const onConstraints: Mutation[] = [
  {
    what: 'a check that was never validated',
    by: `alter table public.memories drop constraint chk_memories_memory_type;
         alter table public.memories add constraint chk_memories_memory_type
           check (memory_type in ('work', 'user')) not valid`,
    differences: [changed(memories, chk, `${types} NOT VALID`, types)],
  },
  {
    what: 'a check that was dropped',
    by: 'alter table public.memories drop constraint chk_memories_memory_type',
    differences: [missing(memories, chk, types)],
  },
  {
    what: 'a check that says something else',
    by: `alter table public.memories drop constraint chk_memories_memory_type;
         alter table public.memories add constraint chk_memories_memory_type check (memory_type <> '')`,
    differences: [changed(memories, chk, "CHECK (((memory_type)::text <> ''::text))", types)],
  },
  {
    what: 'a check under another name',
    by: 'alter table public.memories rename constraint chk_memories_memory_type to chk_type',
    differences: [renamed(memories, chk, 'chk_type', types)],
  },
  {
    what: 'a further check',
    by: `alter table public.memories add constraint chk_content check (content <> '')`,
    differences: [extra(memories, 'constraint chk_content', "CHECK ((content <> ''::text))")],
  },
  {
    what: 'a foreign key that does something else on delete',
    by: `alter table public.memories drop constraint fk_memories_user_id;
         alter table public.memories add constraint fk_memories_user_id
           foreign key (user_id) references auth.users (id) on delete restrict`,
    differences: [changed(memories, fk, `${toUsers} ON DELETE RESTRICT`, `${toUsers} ON DELETE CASCADE`)],
  },
  {
    what: 'triggers of a table that are disabled, and with them its foreign keys and those that refer to it',
    by: 'alter table public.memories disable trigger all',
    differences: [
      changed(
        memories,
        fk,
        `${toUsers} ON DELETE CASCADE, its triggers disabled`,
        `${toUsers} ON DELETE CASCADE`,
      ),
      changed(
        memories,
        'trigger keep_updated_at',
        `${keeps('public.memories')}, disabled`,
        keeps('public.memories'),
      ),
      changed(
        'table archive.memory_agents',
        'constraint fk_memory_agents_memory_id',
        'FOREIGN KEY (memory_id) REFERENCES public.memories(id) ON UPDATE CASCADE ON DELETE CASCADE, its triggers disabled',
        'FOREIGN KEY (memory_id) REFERENCES public.memories(id) ON UPDATE CASCADE ON DELETE CASCADE',
      ),
    ],
  },
  {
    what: 'a unique constraint that was dropped',
    by: 'alter table public.system_agents drop constraint uq_system_agents_agent_type',
    differences: [missing(agents, 'constraint uq_system_agents_agent_type', 'UNIQUE (agent_type)')],
  },
]

const onIndexes: Mutation[] = [
  {
    what: 'an index that was dropped',
    by: 'drop index public.ix_memories_user_id_memory_type_status',
    differences: [missing(memories, index, indexed)],
  },
  {
    what: 'an index that is invalid',
    by: `update pg_index set indisvalid = false
          where indexrelid = 'public.ix_memories_user_id_memory_type_status'::regclass`,
    differences: [changed(memories, index, `${indexed}, invalid`, indexed)],
  },
  {
    what: 'an index on other columns',
    by: `drop index public.ix_memories_user_id_memory_type_status;
         create index ix_memories_user_id_memory_type_status on public.memories (status)`,
    differences: [changed(memories, index, 'CREATE INDEX ON public.memories USING btree (status)', indexed)],
  },
  {
    what: 'an index under another name',
    by: 'alter index public.ix_memories_user_id_memory_type_status rename to ix_mine',
    differences: [renamed(memories, index, 'ix_mine', indexed)],
  },
  {
    what: 'a further index that refuses rows',
    by: 'create unique index ix_username on public.profiles (username)',
    differences: [
      extra(
        'table public.profiles',
        'index ix_username',
        'CREATE UNIQUE INDEX ON public.profiles USING btree (username)',
      ),
    ],
  },
]

const onFunctions: Mutation[] = [
  {
    what: 'a function with another body',
    by: `do $do$
         declare
           definition text := pg_get_functiondef('public.create_profile_for_new_user()'::regprocedure);
         begin
           execute replace(definition, 'on conflict (id) do nothing', 'on conflict (id) do update set bio = null');
         end
         $do$`,
    differences: [
      {
        object: signUp,
        fact: 'body',
        expected: expect.stringContaining('on conflict (id) do nothing;'),
        found: expect.stringContaining('do update set bio = null;'),
        message: `the body of ${signUp} has in line 14 "on conflict (id) do update set bio = null;", and should have "on conflict (id) do nothing;"`,
      },
    ],
  },
  {
    what: 'a function without its search_path',
    by: 'alter function public.create_profile_for_new_user() reset search_path',
    differences: [unset(signUp, 'configuration', 'search_path=""')],
  },
  {
    what: 'a function with another search_path',
    by: 'alter function public.create_profile_for_new_user() set search_path = public, pg_temp',
    differences: [changed(signUp, 'configuration', 'search_path=public, pg_temp', 'search_path=""')],
  },
  {
    what: 'a function of another owner',
    by: 'alter function public.create_profile_for_new_user() owner to supabase_auth_admin',
    differences: [
      changed(signUp, 'owner', 'supabase_auth_admin', 'the deployer'),
      granted(signUp, 'the deployer', null, 'EXECUTE'),
      granted(signUp, 'supabase_auth_admin', 'EXECUTE', null),
    ],
  },
  {
    what: 'a function that runs with the rights of who calls it',
    by: 'alter function public.create_profile_for_new_user() security invoker',
    differences: [changed(signUp, 'security', 'invoker', 'definer')],
  },
  {
    what: 'a function that promises more than it holds',
    by: 'alter function public.create_profile_for_new_user() stable strict leakproof parallel safe',
    differences: [set(signUp, 'behaviour', 'stable strict leakproof parallel safe')],
  },
  {
    what: 'a function that was dropped, and with it its triggers',
    by: 'drop function public.keep_updated_at() cascade',
    differences: [
      gone('function public.keep_updated_at()'),
      ...['llms', 'memories', 'profiles', 'system_agents'].map(table =>
        missing(`table public.${table}`, 'trigger keep_updated_at', keeps(`public.${table}`)),
      ),
    ],
  },
  {
    what: 'a function with other arguments',
    by: `drop function archive.repair_settings(uuid, uuid);
         create function archive.repair_settings(first_id uuid) returns bigint language sql as 'select 1'`,
    differences: [gone('function archive.repair_settings(uuid,uuid)')],
  },
]

const onTriggers: Mutation[] = [
  {
    what: 'a trigger that is disabled',
    by: 'alter table auth.users disable trigger on_auth_user_created',
    differences: [changed(users, onSignUp, `${afterSignUp}, disabled`, afterSignUp)],
  },
  {
    what: 'a trigger that fires for replication alone',
    by: 'alter table auth.users enable replica trigger on_auth_user_created',
    differences: [changed(users, onSignUp, `${afterSignUp}, replica only`, afterSignUp)],
  },
  {
    what: 'a trigger that fires for replication too',
    by: 'alter table auth.users enable always trigger on_auth_user_created',
    differences: [changed(users, onSignUp, `${afterSignUp}, always`, afterSignUp)],
  },
  {
    what: 'a trigger that was dropped',
    by: 'drop trigger on_auth_user_created on auth.users',
    differences: [missing(users, onSignUp, afterSignUp)],
  },
  {
    what: 'a trigger under another name',
    by: 'alter trigger on_auth_user_created on auth.users rename to mine',
    differences: [renamed(users, onSignUp, 'mine', afterSignUp)],
  },
  {
    what: 'a trigger that calls another function',
    by: `create function public.mine() returns trigger language plpgsql as 'begin return new; end';
         create or replace trigger on_auth_user_created after insert on auth.users
           for each row execute function public.mine()`,
    differences: [
      changed(
        users,
        onSignUp,
        'CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.mine()',
        afterSignUp,
      ),
    ],
  },
  {
    what: 'a trigger on other events',
    by: `create or replace trigger on_auth_user_created after insert or update of email on auth.users
           for each row execute function public.create_profile_for_new_user()`,
    differences: [
      changed(
        users,
        onSignUp,
        `CREATE TRIGGER AFTER INSERT OR UPDATE OF email ON auth.users FOR EACH ROW ${calls}`,
        afterSignUp,
      ),
    ],
  },
  {
    what: 'a second trigger that calls our function',
    by: `create trigger again after update on auth.users
           for each row execute function public.create_profile_for_new_user()`,
    differences: [
      extra(users, 'trigger again', `CREATE TRIGGER AFTER UPDATE ON auth.users FOR EACH ROW ${calls}`),
    ],
  },
  {
    what: 'a further trigger on a table of ours',
    by: `create trigger again before insert on public.memories
           for each row execute function suppress_redundant_updates_trigger()`,
    differences: [
      extra(
        memories,
        'trigger again',
        'CREATE TRIGGER BEFORE INSERT ON public.memories FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
      ),
    ],
  },
  {
    what: 'a rule',
    by: 'create rule nothing as on delete to public.memories do instead nothing',
    differences: [
      extra(
        memories,
        'rule nothing',
        'CREATE RULE nothing AS\n    ON DELETE TO public.memories DO INSTEAD NOTHING;',
      ),
    ],
  },
]

const onObjects: Mutation[] = [
  {
    what: 'a table under another name, and the keys that point at it',
    by: 'alter table public.memories rename to remembered',
    differences: [
      gone(memories),
      changed(
        'table archive.memory_agents',
        'constraint fk_memory_agents_memory_id',
        'FOREIGN KEY (memory_id) REFERENCES public.remembered(id) ON UPDATE CASCADE ON DELETE CASCADE',
        'FOREIGN KEY (memory_id) REFERENCES public.memories(id) ON UPDATE CASCADE ON DELETE CASCADE',
      ),
    ],
  },
  {
    what: 'a table in another schema',
    by: 'create schema elsewhere; alter table public.system_agents set schema elsewhere',
    differences: [gone(agents)],
  },
  {
    what: 'a view in the place of a table',
    by: `alter table public.system_agents rename to hidden;
         create view public.system_agents as select * from public.hidden`,
    differences: [
      gone(agents),
      {
        ...changed('view public.system_agents', '', '', ''),
        fact: null,
        expected: null,
        message: 'view public.system_agents is there, and should not be',
      },
    ],
  },
  {
    what: 'a table that a crash would empty',
    by: 'alter table public.system_agents set unlogged',
    differences: [set(agents, 'persistence', 'unlogged')],
  },
  {
    what: 'a table of another owner',
    by: 'alter table public.system_agents owner to supabase_auth_admin',
    differences: [
      changed(agents, 'owner', 'supabase_auth_admin', 'the deployer'),
      granted(agents, 'the deployer', null, 'all'),
      granted(agents, 'supabase_auth_admin', 'all', null),
    ],
  },
  {
    what: 'an archive of another owner',
    by: 'alter schema archive owner to supabase_auth_admin',
    differences: [
      changed('schema archive', 'owner', 'supabase_auth_admin', 'the deployer'),
      granted('schema archive', 'the deployer', null, 'all'),
      granted('schema archive', 'supabase_auth_admin', 'all', null),
    ],
  },
  {
    what: 'an archive that lost its comment',
    by: 'comment on schema archive is null',
    differences: [unset('schema archive', 'comment', 'Kept by @agents/db for the way back.')],
  },
  {
    what: 'one copy in archive that is gone where the others are there',
    by: 'drop table archive.profiles',
    differences: [gone('table archive.profiles')],
  },
  {
    what: 'a table that `archive drop` leaves, gone with the others',
    by: 'select archive.let_go(); drop table archive.profile_settings',
    differences: [gone('table archive.profile_settings')],
  },
]

const whileBothWork: Mutation[] = [
  {
    what: 'a view that shows something else',
    by: `create or replace view public.system_agents with (security_invoker = true) as
           select id, agent_type, llm_id, config, 'active'::varchar(20) as status, created_at, updated_at
             from public.user_agent_catalog`,
    differences: [
      {
        object: 'view public.system_agents',
        fact: 'definition',
        expected: expect.stringMatching(/\bstatus\b/),
        found: expect.stringContaining("'active'::character varying(20) AS status"),
        message: expect.stringMatching(
          /^the definition of view public\.system_agents is: .*; it should be: /s,
        ),
      },
    ],
  },
  {
    what: 'a view that shows everybody what its owner sees',
    by: 'alter view public.system_agents reset (security_invoker)',
    differences: [unset('view public.system_agents', 'options', 'security_invoker=true')],
  },
  {
    what: 'copies that are gone while triggers still write them',
    by: 'drop table archive.profiles, archive.memory_agents, archive.user_agents',
    differences: [
      gone('table archive.memory_agents'),
      gone('table archive.profiles'),
      gone('table archive.user_agents'),
    ],
  },
  {
    what: 'a check that no next step makes, but a later one',
    by: `alter table public.memories add constraint chk_memories_memory_type
           check (memory_type in ('work', 'user')) not valid`,
    differences: [extra(memories, chk, `${types} NOT VALID`)],
  },
]

/** What they are of, the state they are done to, and the mutations. */
export const groups: [string, string, Mutation[]][] = [
  ['of policies', 'today', onPolicies],
  ['of grants', 'today', onGrants],
  ['of columns', 'today', onColumns],
  ['of constraints', 'today', onConstraints],
  ['of indexes', 'today', onIndexes],
  ['of functions', 'today', onFunctions],
  ['of triggers and rules', 'today', onTriggers],
  ['of whole objects', 'today', onObjects],
  ['while both applications work', 'expanded', whileBothWork],
]
