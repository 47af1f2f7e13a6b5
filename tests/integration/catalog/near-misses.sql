-- Databases that another tool built at the baseline, but not quite: what is different, and what `adopt` says then.

-- # refused

-- an index is missing
drop index public.ix_memories_agent_type_status;
--> index ix_memories_agent_type_status on table public.memories is missing

-- a check is missing
alter table public.memories drop constraint chk_memory_type_agent_id;
--> constraint chk_memory_type_agent_id on table public.memories is missing

-- a check is another
alter table public.user_agents drop constraint chk_agent_type,
  add constraint chk_agent_type check (agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION'));
--> constraint chk_agent_type on table public.user_agents is: CHECK (((agent_type)::text = ANY (ARRAY[('INTENT_RECOGNITION'::character varying)::text, ('TASK_EXECUTION'::character varying)::text]))); it should be: CHECK (((agent_type)::text = ANY (ARRAY[('INTENT_RECOGNITION'::character varying)::text, ('TASK_EXECUTION'::character varying)::text, ('RESULT_REPORTING'::character varying)::text])))

-- a constraint is called otherwise
alter table public.llms rename constraint uq_llms_model_code to llms_model_code_key;
--> constraint uq_llms_model_code on table public.llms is called llms_model_code_key

-- a constraint is not valid
alter table public.profiles drop constraint fk_profiles_id, add constraint fk_profiles_id
  foreign key (id) references auth.users (id) on delete cascade not valid;
--> constraint fk_profiles_id on table public.profiles is: FOREIGN KEY (id) REFERENCES auth.users(id) ON DELETE CASCADE NOT VALID; it should be: FOREIGN KEY (id) REFERENCES auth.users(id) ON DELETE CASCADE

-- a unique constraint is missing
alter table public.user_agents drop constraint uq_user_agents_user_id_agent_type;
--> constraint uq_user_agents_user_id_agent_type on table public.user_agents is missing

-- a foreign key does not cascade
alter table public.memories drop constraint fk_memories_user_id, add constraint fk_memories_user_id
  foreign key (user_id) references auth.users (id);
--> constraint fk_memories_user_id on table public.memories is: FOREIGN KEY (user_id) REFERENCES auth.users(id); it should be: FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE

-- a policy is missing
drop policy anon_select_llms on public.llms;
--> policy anon_select_llms on table public.llms is missing

-- a policy lets through
alter policy anon_select_memories on public.memories using (true);
--> policy anon_select_memories on table public.memories is: permissive for select to anon using (true); it should be: permissive for select to anon using (false)

-- there is a further policy
create policy own on public.profiles for select to authenticated using (id = auth.uid());
--> policy own on table public.profiles should not exist: permissive for select to authenticated using ((id = auth.uid()))

-- row level security is off
alter table public.user_agents disable row level security;
--> the row level security of table public.user_agents is: disabled; it should be: enabled

-- a column has another type
alter table public.llms alter column provider type varchar(60);
--> column provider on table public.llms is: character varying(60) not null; it should be: character varying(50) not null

-- a column may be null
alter table public.memories alter column content drop not null;
--> column content on table public.memories is: text; it should be: text not null

-- a column has another default
alter table public.user_agent_catalog alter column id drop default;
--> column id on table public.user_agent_catalog is: uuid not null; it should be: uuid not null default gen_random_uuid()

-- there is a further column
alter table public.profiles add column locale text;
--> column locale on table public.profiles should not exist: text

-- the trigger is missing
drop trigger on_auth_user_created on auth.users;
--> trigger on_auth_user_created on table auth.users is missing

-- the trigger is disabled
alter table auth.users disable trigger on_auth_user_created;
--> trigger on_auth_user_created on table auth.users is: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user(), disabled; it should be: CREATE TRIGGER AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.create_profile_for_new_user()

-- the function is missing
drop function public.create_profile_for_new_user() cascade;
--> function public.create_profile_for_new_user() is missing
--> trigger on_auth_user_created on table auth.users is missing

-- the function belongs to another role
alter function public.create_profile_for_new_user() owner to service_role;
--> the deployer has nothing on function public.create_profile_for_new_user(), and should have EXECUTE
--> the owner of function public.create_profile_for_new_user() is: service_role; it should be: the deployer

-- a role that no migration knows has a grant
grant select on public.profiles to authenticator;
--> authenticator has SELECT on table public.profiles, and should have nothing

-- a client may pass its grant on
grant select on public.profiles to anon with grant option;
--> anon has all; may pass on SELECT on table public.profiles, and should have nothing

-- service_role may pass its grants on
grant select on public.profiles to service_role with grant option;
--> service_role has all; may pass on SELECT on table public.profiles, and should have DELETE, INSERT, SELECT, UPDATE

-- a table is missing
drop table public.user_agents cascade;
--> constraint fk_memories_agent_id on table public.memories is missing
--> table public.user_agents is missing

-- a table of others has a later name
create table public.system_agents (id int);
--> table public.system_agents should not exist

-- a schema of others has a later name
create schema archive authorization agents_deployer;
--> the comment of schema archive is: not set; it should be: Rows that @agents/db keeps for a rollback.

-- a trigger of others is on a table of ours
create trigger later before update on public.llms
  for each row execute function suppress_redundant_updates_trigger();
--> trigger later on table public.llms should not exist: CREATE TRIGGER BEFORE UPDATE ON public.llms FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()

-- a view of theirs shows clients what is in a table
grant select on public.wordiest to anon;
--> view public.wordiest opens table public.memories to anon, and should open it to nobody

-- # adopted all the same

-- nothing
select;

-- a further index
create index on public.memories (created_at);

-- a trigger of others on auth.users
create trigger theirs after insert on auth.users for each row execute function suppress_redundant_updates_trigger();

-- a function of others with a name of ours
create function public.create_profile_for_new_user(text) returns int language sql as 'select 1';

-- a grant on a column to a client
grant select (bio) on public.profiles to anon;

-- a key of others to ours
create table public.notes (owner uuid references public.user_agents (id));

-- a ledger without a row
create schema drizzle;
create table drizzle.__drizzle_migrations (
  id serial primary key, hash text not null, created_at bigint, name text, applied_at timestamptz default now());
