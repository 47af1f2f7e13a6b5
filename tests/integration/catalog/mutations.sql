-- What somebody may do to a database, and every difference that `check` then finds, in any order. Whitespace counts as
-- one space.

-- # of policies

-- a policy that was dropped
drop policy anon_select_memories on public.memories;
--> policy anon_select_memories on table public.memories is missing

-- a policy that lets everybody through
alter policy anon_select_memories on public.memories using (true);
--> policy anon_select_memories on table public.memories is: permissive for select to anon using (true); it should be: permissive for select to anon using (false)

-- a policy under another name
alter policy anon_select_memories on public.memories rename to "Nobody reads";
--> policy anon_select_memories on table public.memories is called "Nobody reads"

-- a policy for another role
alter policy anon_select_memories on public.memories to service_role, public;
--> policy anon_select_memories on table public.memories is: permissive for select to public using (false); it should be: permissive for select to anon using (false)

-- a policy for another command
drop policy anon_select_memories on public.memories;
create policy anon_select_memories on public.memories for all to anon using (false);
--> policy anon_select_memories on table public.memories is: permissive for all to anon using (false); it should be: permissive for select to anon using (false)

-- a policy made restrictive
drop policy anon_select_memories on public.memories;
create policy anon_select_memories on public.memories as restrictive for select to anon using (false);
--> policy anon_select_memories on table public.memories is: restrictive for select to anon using (false); it should be: permissive for select to anon using (false)

-- a policy whose with check is not its using
alter policy anon_update_memories on public.memories with check (content <> $$$$);
--> policy anon_update_memories on table public.memories is: permissive for update to anon using (false) with check ((content <> ''::text)); it should be: permissive for update to anon using (false) with check (false)

-- a further policy
create policy own on public.memories for select to authenticated using (user_id = auth.uid());
--> policy own on table public.memories should not exist: permissive for select to authenticated using ((user_id = auth.uid()))

-- row level security that is off
alter table public.memories disable row level security;
--> the row level security of table public.memories is: disabled; it should be: enabled

-- row level security that is forced on the owner too
alter table public.memories force row level security;
--> the row level security of table public.memories is: enabled, forced; it should be: enabled

-- # of grants

-- a grant to anon
grant select, insert on public.memories to anon;
--> anon has INSERT, SELECT on table public.memories, and should have nothing

-- a grant of everything to authenticated
grant all on public.memories to authenticated;
--> authenticated has all on table public.memories, and should have nothing

-- a grant of one column to anon
grant select (content) on public.memories to anon;
--> anon has SELECT on column content on table public.memories, and should have nothing

-- a grant to everybody
grant select on public.memories to public;
--> public has SELECT on table public.memories, and should have nothing

-- a grant to service_role that was revoked
revoke all on public.memories from service_role;
--> service_role has nothing on table public.memories, and should have DELETE, INSERT, SELECT, UPDATE

-- a grant that may be passed on
grant select on public.memories to service_role with grant option;
--> service_role has DELETE, INSERT, SELECT, UPDATE; may pass on SELECT on table public.memories, and should have DELETE, INSERT, SELECT, UPDATE

-- a grant that was passed on, reported once for both grantors
grant select on public.memories to authenticated with grant option;
grant select on public.memories to anon;
set local role authenticated;
grant select on public.memories to anon;
reset role;
--> anon has SELECT on table public.memories, and should have nothing
--> authenticated has SELECT; may pass on SELECT on table public.memories, and should have nothing

-- privileges that the owner itself lost
revoke all on public.memories from agents_deployer;
--> the deployer has nothing on table public.memories, and should have all

-- a function that everybody may call
grant execute on function public.create_profile_for_new_user() to public;
--> public has EXECUTE on function public.create_profile_for_new_user(), and should have nothing

-- a function that anon may call
grant execute on function public.create_profile_for_new_user() to anon;
--> anon has EXECUTE on function public.create_profile_for_new_user(), and should have nothing

-- an archive that anon may enter
grant usage on schema archive to anon;
grant select on archive.profiles to anon;
--> anon has USAGE on schema archive, and should have nothing
--> anon has SELECT on table archive.profiles, and should have nothing

-- # of columns

-- a default that a column should not have
alter table public.memories alter column status set default 'active';
--> column status on table public.memories is: character varying(20) not null default 'active'::character varying; it should be: character varying(20) not null

-- a default that a column lost
alter table public.memories alter column id drop default;
--> column id on table public.memories is: uuid not null; it should be: uuid not null default gen_random_uuid()

-- a column of another type
alter table public.memories alter column status type varchar(40);
--> column status on table public.memories is: character varying(40) not null; it should be: character varying(20) not null

-- a column that may be null
alter table public.memories alter column content drop not null;
--> column content on table public.memories is: text; it should be: text not null

-- a column that sorts otherwise
alter table public.memories alter column content type text collate "C";
--> column content on table public.memories is: text collate "C" not null; it should be: text not null

-- a further column
alter table public.memories add column "Mood" text;
--> column "Mood" on table public.memories should not exist: text

-- a column that was dropped
alter table public.memories drop column created_at;
--> column created_at on table public.memories is missing

-- a column under another name
alter table public.memories rename column content to body;
--> column content on table public.memories is called body

-- # of constraints

-- a check that was never validated
alter table public.memories drop constraint chk_memories_memory_type;
alter table public.memories add constraint chk_memories_memory_type
  check (memory_type in ('work', 'user')) not valid;
--> constraint chk_memories_memory_type on table public.memories is: CHECK (((memory_type)::text = ANY ((ARRAY['work'::character varying, 'user'::character varying])::text[]))) NOT VALID; it should be: CHECK (((memory_type)::text = ANY ((ARRAY['work'::character varying, 'user'::character varying])::text[])))

-- a check that was dropped
alter table public.memories drop constraint chk_memories_memory_type;
--> constraint chk_memories_memory_type on table public.memories is missing

-- a check that says something else
alter table public.memories drop constraint chk_memories_memory_type;
alter table public.memories add constraint chk_memories_memory_type check (memory_type <> '');
--> constraint chk_memories_memory_type on table public.memories is: CHECK (((memory_type)::text <> ''::text)); it should be: CHECK (((memory_type)::text = ANY ((ARRAY['work'::character varying, 'user'::character varying])::text[])))

-- a check under another name
alter table public.memories rename constraint chk_memories_memory_type to chk_type;
--> constraint chk_memories_memory_type on table public.memories is called chk_type

-- a further check
alter table public.memories add constraint chk_content check (content <> '');
--> constraint chk_content on table public.memories should not exist: CHECK ((content <> ''::text))

-- a foreign key that does something else on delete
alter table public.memories drop constraint fk_memories_user_id;
alter table public.memories add constraint fk_memories_user_id
  foreign key (user_id) references auth.users (id) on delete restrict;
--> constraint fk_memories_user_id on table public.memories is: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE RESTRICT; it should be: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE

-- the triggers of a table disabled, and with them its foreign keys and those that refer to it
alter table public.memories disable trigger all;
--> constraint fk_memories_user_id on table public.memories is: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE, its triggers disabled; it should be: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE
--> trigger keep_updated_at on table public.memories is: CREATE TRIGGER BEFORE UPDATE ON public.memories FOR EACH ROW EXECUTE FUNCTION public.keep_updated_at(), disabled; it should be: CREATE TRIGGER BEFORE UPDATE ON public.memories FOR EACH ROW EXECUTE FUNCTION public.keep_updated_at()
--> constraint fk_memory_agents_memory_id on table archive.memory_agents is: FOREIGN KEY (memory_id) REFERENCES public.memories(id) ON UPDATE CASCADE ON DELETE CASCADE, its triggers disabled; it should be: FOREIGN KEY (memory_id) REFERENCES public.memories(id) ON UPDATE CASCADE ON DELETE CASCADE

-- a unique constraint that was dropped
alter table public.system_agents drop constraint uq_system_agents_agent_type;
--> constraint uq_system_agents_agent_type on table public.system_agents is missing

-- # of indexes

-- an index that was dropped
drop index public.ix_memories_user_id_memory_type_status;
--> index ix_memories_user_id_memory_type_status on table public.memories is missing

-- an index that is invalid
update pg_index set indisvalid = false
 where indexrelid = 'public.ix_memories_user_id_memory_type_status'::regclass;
--> index ix_memories_user_id_memory_type_status on table public.memories is: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status), invalid; it should be: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status)

-- an index on other columns
drop index public.ix_memories_user_id_memory_type_status;
create index ix_memories_user_id_memory_type_status on public.memories (status);
--> index ix_memories_user_id_memory_type_status on table public.memories is: CREATE INDEX ON public.memories USING btree (status); it should be: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status)

-- an index under another name
alter index public.ix_memories_user_id_memory_type_status rename to ix_mine;
--> index ix_memories_user_id_memory_type_status on table public.memories is called ix_mine

-- a further index that refuses rows
create unique index ix_username on public.profiles (username);
--> index ix_username on table public.profiles should not exist: CREATE UNIQUE INDEX ON public.profiles USING btree (username)

-- # of functions

-- a function with another body
do $do$
declare
  definition text := pg_get_functiondef('public.create_profile_for_new_user()'::regprocedure);
begin
  execute replace(definition, 'on conflict (id) do nothing', 'on conflict (id) do update set bio = null');
end
$do$;
--> the body of function public.create_profile_for_new_user() has in line 14 "on conflict (id) do update set bio = null;", and should have "on conflict (id) do nothing;"

-- a function without its search_path
alter function public.create_profile_for_new_user() reset search_path;
--> the configuration of function public.create_profile_for_new_user() is: not set; it should be: search_path=""

-- a function with another search_path
alter function public.create_profile_for_new_user() set search_path = public, pg_temp;
--> the configuration of function public.create_profile_for_new_user() is: search_path=public, pg_temp; it should be: search_path=""

-- a function of another owner
alter function public.create_profile_for_new_user() owner to supabase_auth_admin;
--> the owner of function public.create_profile_for_new_user() is: supabase_auth_admin; it should be: the deployer
--> the deployer has nothing on function public.create_profile_for_new_user(), and should have EXECUTE
--> supabase_auth_admin has EXECUTE on function public.create_profile_for_new_user(), and should have nothing

-- a function that runs with the rights of its caller
alter function public.create_profile_for_new_user() security invoker;
--> the security of function public.create_profile_for_new_user() is: invoker; it should be: definer

-- a function that promises more than it holds
alter function public.create_profile_for_new_user() stable strict leakproof parallel safe;
--> the behaviour of function public.create_profile_for_new_user() is: stable strict leakproof parallel safe; it should be: not set

-- a function that was dropped, and with it its triggers
drop function public.keep_updated_at() cascade;
--> function public.keep_updated_at() is missing
--> trigger keep_updated_at on table public.llms is missing
--> trigger keep_updated_at on table public.memories is missing
--> trigger keep_updated_at on table public.profiles is missing
--> trigger keep_updated_at on table public.system_agents is missing

-- a function with other arguments
drop function archive.repair_settings(uuid, uuid);
create function archive.repair_settings(first_id uuid) returns bigint language sql as 'select 1';
--> function archive.repair_settings(uuid,uuid) is missing

-- # of triggers and rules

-- a trigger that is disabled
alter table auth.users disable trigger on_auth_user_created;
--> trigger on_auth_user_created on table auth.users is: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user(), disabled; it should be: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- a trigger that fires for replication alone
alter table auth.users enable replica trigger on_auth_user_created;
--> trigger on_auth_user_created on table auth.users is: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user(), replica only; it should be: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- a trigger that fires for replication too
alter table auth.users enable always trigger on_auth_user_created;
--> trigger on_auth_user_created on table auth.users is: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user(), always; it should be: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- a trigger that was dropped
drop trigger on_auth_user_created on auth.users;
--> trigger on_auth_user_created on table auth.users is missing

-- a trigger under another name
alter trigger on_auth_user_created on auth.users rename to mine;
--> trigger on_auth_user_created on table auth.users is called mine

-- a trigger that calls another function
create function public.mine() returns trigger language plpgsql as 'begin return new; end';
create or replace trigger on_auth_user_created after insert on auth.users
  for each row execute function public.mine();
--> trigger on_auth_user_created on table auth.users is: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.mine(); it should be: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- a trigger on other events
create or replace trigger on_auth_user_created after insert or update of email on auth.users
  for each row execute function public.create_profile_for_new_user();
--> trigger on_auth_user_created on table auth.users is: CREATE TRIGGER AFTER INSERT OR UPDATE OF email ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user(); it should be: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- a second trigger that calls our function
create trigger again after update on auth.users
  for each row execute function public.create_profile_for_new_user();
--> trigger again on table auth.users should not exist: CREATE TRIGGER AFTER UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- a further trigger on a table of ours
create trigger again before insert on public.memories
  for each row execute function suppress_redundant_updates_trigger();
--> trigger again on table public.memories should not exist: CREATE TRIGGER BEFORE INSERT ON public.memories FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()

-- a rule
create rule nothing as on delete to public.memories do instead nothing;
--> rule nothing on table public.memories should not exist: CREATE RULE nothing AS ON DELETE TO public.memories DO INSTEAD NOTHING;

-- # of whole objects

-- a table under another name, and the keys that point at it
alter table public.memories rename to remembered;
--> table public.memories is missing
--> constraint fk_memory_agents_memory_id on table archive.memory_agents is: FOREIGN KEY (memory_id) REFERENCES public.remembered(id) ON UPDATE CASCADE ON DELETE CASCADE; it should be: FOREIGN KEY (memory_id) REFERENCES public.memories(id) ON UPDATE CASCADE ON DELETE CASCADE

-- a table in another schema
create schema elsewhere;
alter table public.system_agents set schema elsewhere;
--> table public.system_agents is missing

-- a view in the place of a table
alter table public.system_agents rename to hidden;
create view public.system_agents as select * from public.hidden;
--> table public.system_agents is missing
--> view public.system_agents should not exist

-- a table that a crash would empty
alter table public.system_agents set unlogged;
--> the persistence of table public.system_agents is: unlogged; it should be: not set

-- a table of another owner
alter table public.system_agents owner to supabase_auth_admin;
--> the owner of table public.system_agents is: supabase_auth_admin; it should be: the deployer
--> the deployer has nothing on table public.system_agents, and should have all
--> supabase_auth_admin has all on table public.system_agents, and should have nothing

-- an archive of another owner
alter schema archive owner to supabase_auth_admin;
--> the owner of schema archive is: supabase_auth_admin; it should be: the deployer
--> the deployer has nothing on schema archive, and should have all
--> supabase_auth_admin has all on schema archive, and should have nothing

-- an archive that lost its comment
comment on schema archive is null;
--> the comment of schema archive is: not set; it should be: Rows that @agents/db keeps for a rollback.

-- one copy gone from archive while the others are there
drop table archive.profiles;
--> table archive.profiles is missing

-- a table that `archive drop` leaves, gone with the others
select archive.drop_copies();
drop table archive.profile_settings;
--> table archive.profile_settings is missing

-- # while both applications work

-- a view that shows something else
create or replace view public.system_agents with (security_invoker = true) as
  select id, agent_type, llm_id, config, 'active'::varchar(20) as status, created_at, updated_at
    from public.user_agent_catalog;
--> the definition of view public.system_agents is: SELECT id, agent_type, llm_id, config, 'active'::character varying(20) AS status, created_at, updated_at FROM public.user_agent_catalog;; it should be: SELECT id, agent_type, llm_id, config, status, created_at, updated_at FROM public.user_agent_catalog;

-- a view that shows everybody what its owner sees
alter view public.system_agents reset (security_invoker);
--> the options of view public.system_agents is: not set; it should be: security_invoker=true

-- copies that are gone while triggers still write them
drop table archive.profiles, archive.memory_agents, archive.user_agents;
--> table archive.memory_agents is missing
--> table archive.profiles is missing
--> table archive.user_agents is missing

-- a check that a later migration makes, but not the next
alter table public.memories add constraint chk_memories_memory_type
  check (memory_type in ('work', 'user')) not valid;
--> constraint chk_memories_memory_type on table public.memories should not exist: CHECK (((memory_type)::text = ANY ((ARRAY['work'::character varying, 'user'::character varying])::text[]))) NOT VALID

