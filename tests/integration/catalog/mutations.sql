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

-- a grant of one verb of a column that may be passed on
grant update (content) on public.memories to service_role with grant option;
--> service_role has UPDATE; may pass on UPDATE on column content on table public.memories, and should have nothing

-- TRUNCATE, which row level security does not stop, granted to everybody
grant truncate on public.memories to public;
--> public has TRUNCATE on table public.memories, and should have nothing

-- a grant to a role of the server's
grant select on public.memories to pg_monitor;
--> pg_monitor has SELECT on table public.memories, and should have nothing

-- an archive in which everybody may create
grant create on schema archive to public;
--> public has CREATE on schema archive, and should have nothing

-- a function of the archive that authenticated may call
grant execute on function archive.drop_copies() to authenticated;
--> authenticated has EXECUTE on function archive.drop_copies(), and should have nothing

-- a schema public in which everybody may create, as before PostgreSQL 15
grant create on schema public to public;
--> public has CREATE on schema public, and should have nothing

-- a schema public in which anon may create and pass it on
grant create on schema public to anon with grant option;
--> anon has CREATE; may pass on CREATE on schema public, and should have nothing

-- a schema public that a client owns
alter schema public owner to authenticated;
--> authenticated has CREATE on schema public, and should have nothing

-- a ledger that anon may write
grant all on drizzle.__drizzle_migrations to anon;
--> anon has DELETE, INSERT, TRIGGER, TRUNCATE, UPDATE on table drizzle.__drizzle_migrations, and should have nothing

-- a ledger of which everybody may write a column
grant select, update (hash) on drizzle.__drizzle_migrations to public;
--> public has UPDATE on column hash on table drizzle.__drizzle_migrations, and should have nothing

-- a ledger that a client owns
alter table drizzle.__drizzle_migrations owner to authenticated;
--> authenticated has DELETE, INSERT, TRIGGER, TRUNCATE, UPDATE on table drizzle.__drizzle_migrations, and should have nothing

-- a rule on users
create rule nobody as on insert to auth.users do instead nothing;
--> rule nobody on table auth.users should not exist: CREATE RULE nobody AS ON INSERT TO auth.users DO INSTEAD NOTHING;

-- users that authenticated may write
grant insert, delete on auth.users to authenticated;
--> authenticated has DELETE, INSERT on table auth.users, and should have nothing

-- # of roles

-- a service_role that row level security stops
alter role service_role nobypassrls;
--> the attributes of role service_role are: none; they should be: bypassrls

-- an anon that row level security does not stop
alter role anon bypassrls;
--> the attributes of role anon are: bypassrls; they should be: none

-- an authenticated that may do everything
alter role authenticated superuser createrole replication;
--> the attributes of role authenticated are: superuser createrole replication; they should be: none

-- an anon that is service_role
grant service_role to anon;
--> the membership of role anon is: service_role; it should be: not set

-- roles of the server's, given to clients
grant pg_read_all_data, pg_write_all_data to authenticated;
grant pg_read_all_data to service_role;
--> the membership of role authenticated is: pg_read_all_data, pg_write_all_data; it should be: not set
--> the membership of role service_role is: pg_read_all_data; it should be: not set

-- # of views on our tables

-- a view with its owner's rights that anon may read
create view public.leak as select user_id, content from public.memories;
grant select on public.leak to anon;
--> view public.leak opens table public.memories to anon, and should open it to nobody

-- a column of a view on a view, both in another schema
create schema elsewhere;
grant usage on schema elsewhere to public;
create view elsewhere.inner as select m.content, p.bio from public.memories m, public.profiles p;
create view elsewhere.outer as select * from elsewhere.inner;
grant select (content) on elsewhere.outer to public;
--> view elsewhere."outer" opens table public.memories to anon, authenticated, and should open it to nobody
--> view elsewhere."outer" opens table public.profiles to anon, authenticated, and should open it to nobody

-- a view through which authenticated deletes
create view public.mine as select * from public.memories;
grant delete on public.mine to authenticated;
--> view public.mine opens table public.memories to authenticated, and should open it to nobody

-- a materialized view that everybody may read
create materialized view public.copied as select * from archive.profiles;
grant select on public.copied to public;
--> view public.copied opens table archive.profiles to anon, authenticated, and should open it to nobody

-- # of columns

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
--> index ix_memories_user_id_created_at_id on table public.memories is missing

-- a column under another name
alter table public.memories rename column content to body;
--> column content on table public.memories is called body

-- a column that numbers itself
alter table public.memories add column number int generated by default as identity;
--> column number on table public.memories should not exist: integer not null generated by default as identity

-- a column that is computed
alter table public.memories drop column status, add column status varchar(20) not null generated always as ('active') stored;
create index ix_memories_user_id_memory_type_status on public.memories (user_id, memory_type, status);
--> column status on table public.memories is: character varying(20) not null generated always as 'active'::character varying; it should be: character varying(20) not null

-- a NOT NULL that was never validated, as PostgreSQL 18 keeps it in pg_constraint
alter table public.memories add constraint content_not_null check (content is not null) not valid;
update pg_constraint set contype = 'n' where conname = 'content_not_null';
--> column content on table public.memories is: text not null not valid; it should be: text not null

-- # of inheritance

-- a parent, through which others read the rows
create table public.parent (like public.memories);
alter table public.memories inherit public.parent;
--> the inheritance of table public.memories is: from public.parent; it should be: not set

-- a partitioned table, through which others read the rows
create table public.parted (like public.memories including constraints) partition by list (memory_type);
alter table public.parted attach partition public.memories default;
--> the inheritance of table public.memories is: from public.parted; it should be: not set

-- a child, whose rows are read with the table
create table public.child () inherits (public.memories);
--> the inheritance of table public.memories is: by public.child; it should be: not set

-- # of constraints

-- # of constraints

-- a check that was never validated
alter table public.memories drop constraint chk_memories_memory_type;
alter table public.memories add constraint chk_memories_memory_type
  check (memory_type in ('work', 'user')) not valid;
--> constraint chk_memories_memory_type on table public.memories is: CHECK (((memory_type)::text = ANY (ARRAY[('work'::character varying)::text, ('user'::character varying)::text]))) NOT VALID; it should be: CHECK (((memory_type)::text = ANY (ARRAY[('work'::character varying)::text, ('user'::character varying)::text])))

-- a check that was dropped
alter table public.memories drop constraint chk_memories_memory_type;
--> constraint chk_memories_memory_type on table public.memories is missing

-- a check that says something else
alter table public.memories drop constraint chk_memories_memory_type;
alter table public.memories add constraint chk_memories_memory_type check (memory_type <> '');
--> constraint chk_memories_memory_type on table public.memories is: CHECK (((memory_type)::text <> ''::text)); it should be: CHECK (((memory_type)::text = ANY (ARRAY[('work'::character varying)::text, ('user'::character varying)::text])))

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

-- a primary key whose index is invalid
update pg_index set indisvalid = false where indexrelid = 'public.memories_pkey'::regclass;
--> constraint memories_pkey on table public.memories is: PRIMARY KEY (id), its index invalid; it should be: PRIMARY KEY (id)

-- a unique constraint whose index is not kept up to date
update pg_index set indisready = false, indisvalid = false
 where indexrelid = 'public.uq_system_agents_agent_type'::regclass;
--> constraint uq_system_agents_agent_type on table public.system_agents is: UNIQUE (agent_type), its index not ready; it should be: UNIQUE (agent_type)

-- a unique constraint whose index is being dropped
update pg_index set indislive = false, indisready = false, indisvalid = false
 where indexrelid = 'public.uq_llms_model_code'::regclass;
--> constraint uq_llms_model_code on table public.llms is: UNIQUE (model_code), its index not live; it should be: UNIQUE (model_code)

-- a unique constraint that is looked at later
alter table public.system_agents drop constraint uq_system_agents_agent_type,
  add constraint uq_system_agents_agent_type unique (agent_type) deferrable initially deferred;
--> constraint uq_system_agents_agent_type on table public.system_agents is: UNIQUE (agent_type) DEFERRABLE INITIALLY DEFERRED; it should be: UNIQUE (agent_type)

-- a unique constraint that holds nulls equal
alter table public.llms drop constraint uq_llms_model_code,
  add constraint uq_llms_model_code unique nulls not distinct (model_code);
--> constraint uq_llms_model_code on table public.llms is: UNIQUE NULLS NOT DISTINCT (model_code); it should be: UNIQUE (model_code)

-- a foreign key that is looked at later
alter table public.memories alter constraint fk_memories_user_id deferrable;
--> constraint fk_memories_user_id on table public.memories is: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE DEFERRABLE; it should be: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE

-- a further foreign key
alter table public.memories add foreign key (user_id) references public.profiles (id);
--> constraint memories_user_id_fkey on table public.memories should not exist: FOREIGN KEY (user_id) REFERENCES public.profiles(id)

-- a further constraint that excludes
alter table public.memories add constraint alone exclude using btree (content with =);
--> constraint alone on table public.memories should not exist: EXCLUDE USING btree (content WITH =)

-- a further constraint trigger
create constraint trigger later after insert on public.memories deferrable initially deferred
  for each row execute function suppress_redundant_updates_trigger();
--> trigger later on table public.memories should not exist: CREATE CONSTRAINT TRIGGER AFTER INSERT ON public.memories DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()

-- the triggers of users disabled, and with them the foreign keys that refer to them
alter table auth.users disable trigger all;
--> constraint fk_memories_user_id on table public.memories is: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE, its triggers disabled; it should be: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE
--> constraint fk_profiles_id on table public.profiles is: FOREIGN KEY (id) REFERENCES auth.users(id) ON DELETE CASCADE, its triggers disabled; it should be: FOREIGN KEY (id) REFERENCES auth.users(id) ON DELETE CASCADE
--> constraint fk_user_agents_created_by on table archive.user_agents is: FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL, its triggers disabled; it should be: FOREIGN KEY (created_by) REFERENCES auth.users(id) ON DELETE SET NULL
--> constraint fk_user_agents_updated_by on table archive.user_agents is: FOREIGN KEY (updated_by) REFERENCES auth.users(id) ON DELETE SET NULL, its triggers disabled; it should be: FOREIGN KEY (updated_by) REFERENCES auth.users(id) ON DELETE SET NULL
--> constraint fk_user_agents_user_id on table archive.user_agents is: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE, its triggers disabled; it should be: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE
--> trigger on_auth_user_created on table auth.users is: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user(), disabled; it should be: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- # of indexes

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

-- an index that is not kept up to date
update pg_index set indisready = false, indisvalid = false
 where indexrelid = 'public.ix_memories_user_id_memory_type_status'::regclass;
--> index ix_memories_user_id_memory_type_status on table public.memories is: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status), not ready; it should be: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status)

-- an index that is being dropped
update pg_index set indislive = false, indisready = false, indisvalid = false
 where indexrelid = 'public.ix_memories_user_id_memory_type_status'::regclass;
--> index ix_memories_user_id_memory_type_status on table public.memories is: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status), not live; it should be: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status)

-- an index on some of the rows
drop index public.ix_memories_user_id_memory_type_status;
create index ix_memories_user_id_memory_type_status on public.memories (user_id, memory_type, status) where status in ('a', 'b');
--> index ix_memories_user_id_memory_type_status on table public.memories is: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status) WHERE ((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])); it should be: CREATE INDEX ON public.memories USING btree (user_id, memory_type, status)

-- an index of another kind
drop index public.ix_system_agents_llm_id;
create index ix_system_agents_llm_id on public.system_agents using hash (llm_id);
--> index ix_system_agents_llm_id on table public.system_agents is: CREATE INDEX ON public.system_agents USING hash (llm_id); it should be: CREATE INDEX ON public.system_agents USING btree (llm_id)

-- # of functions

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

-- a function that reads a setting of its own
alter function public.keep_updated_at() set row_security = off;
--> the configuration of function public.keep_updated_at() is: search_path="", row_security=off; it should be: search_path=""

-- a function whose body PostgreSQL has parsed
create or replace function archive.delete_stale_copies()
  returns bigint language sql set search_path = '' begin atomic select 0::bigint; end;
--> the body of function archive.delete_stale_copies() has in line 1 "BEGIN ATOMIC", and should have "with agents as ("

-- # of triggers and rules

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

-- a table whose rows no subscriber can tell apart, so that a publication refuses updates
alter table public.memories replica identity nothing;
--> the replica identity of table public.memories is: nothing; it should be: not set

-- # while both applications work

-- # while both applications work

-- a view that shows something else
create or replace view public.system_agents with (security_invoker = true) as
  select id, agent_type, llm_id, config, 'active'::varchar(20) as status, created_at, updated_at
    from public.user_agent_catalog;
--> the definition of view public.system_agents is: SELECT id, agent_type, llm_id, config, 'active'::character varying(20) AS status, created_at, updated_at FROM public.user_agent_catalog;; it should be: SELECT id, agent_type, llm_id, config, status, created_at, updated_at FROM public.user_agent_catalog;

-- a view that shows everybody what its owner sees
alter view public.system_agents reset (security_invoker);
--> the options of view public.system_agents are: not set; they should be: security_invoker=true

-- copies that are gone while triggers still write them
drop table archive.profiles, archive.memory_agents, archive.user_agents;
--> table archive.memory_agents is missing
--> table archive.profiles is missing
--> table archive.user_agents is missing

-- a check that a later migration makes, but not the next
alter table public.memories add constraint chk_memories_memory_type
  check (memory_type in ('work', 'user')) not valid;
--> constraint chk_memories_memory_type on table public.memories should not exist: CHECK (((memory_type)::text = ANY (ARRAY[('work'::character varying)::text, ('user'::character varying)::text]))) NOT VALID

-- a view that shows only what its owner may change, and asks nobody's rights
alter view public.system_agents set (security_invoker = off, check_option = local);
--> the options of view public.system_agents are: check_option=local; they should be: security_invoker=true
