-- What others may do to a database of ours, of which `check` says nothing.

-- # in the database

-- tables, views and sequences of their own in public, open to everybody
create table public.theirs (id serial primary key);
create view public.all_of_theirs as select * from public.theirs;
grant all on public.theirs, public.all_of_theirs to anon;

-- schemas of their own, with tables called as ours are
create schema if not exists app;
create table app.memories (id int);
create table app.profiles (like public.profiles);
grant all on all tables in schema app to anon;

-- further indexes on our tables
create index on public.memories (created_at);
create index their_index on public.profiles (lower(username));

-- a trigger of their own on auth.users
create schema if not exists app;
create function app.create_profile_for_new_user() returns trigger language plpgsql as 'begin return new; end';
create trigger theirs after insert or update on auth.users
  for each row execute function app.create_profile_for_new_user();
alter table auth.users disable trigger theirs;

-- views and foreign keys onto our tables
create view public.busy as select user_id, count(*) from public.memories group by user_id;
create table public.tags (memory_id uuid not null references public.memories (id) on delete cascade);

-- functions called as ours are, with other arguments or in another schema
create schema if not exists app;
create function public.create_profile_for_new_user(id uuid) returns uuid language sql as 'select $1';
create function app.keep_updated_at() returns int language sql as 'select 1';

-- storage settings of our tables
alter table public.memories set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
alter table public.memories alter column content set storage external;
alter table public.memories alter column user_id set statistics 500;
alter index public.ix_memories_user_id_memory_type_status set (fillfactor = 80);

-- comments on what is ours
comment on table public.memories is 'theirs';
comment on column public.memories.content is 'theirs';
comment on policy anon_select_memories on public.memories is 'theirs';
comment on constraint fk_memories_user_id on public.memories is 'theirs';
comment on function public.create_profile_for_new_user() is 'theirs';

-- statistics objects on our tables
create statistics public.theirs on user_id, memory_type from public.memories;
analyze public.memories;

-- a publication, and an identity for replication
create publication theirs for table public.memories;
alter table public.memories replica identity full;

-- another order of the columns
alter table public.profiles drop column bio;
alter table public.profiles add column bio text;
alter table public.memories drop column updated_at;
alter table public.memories add column updated_at timestamptz not null default now();

-- views on our tables that ask for the reader's rights, or that no client may read
create view public.asked with (security_invoker = on) as select * from public.memories;
create view public.kept as select * from public.memories;
create schema if not exists app;
create view app.unreachable as select * from public.memories;
grant select on public.asked, app.unreachable to anon, authenticated;
grant select on public.kept to service_role;

-- grants by default of what is yet to be made
alter default privileges in schema public grant all on tables to anon, authenticated;

-- who may read the ledger
grant usage on schema drizzle to anon;
grant select on drizzle.__drizzle_migrations to anon;

-- an index to cluster on and one for replication, the cost of a function
alter table public.memories cluster on memories_pkey;
alter table public.memories replica identity using index memories_pkey;
alter function public.keep_updated_at() cost 1000;

-- event triggers of their own
create function public.watch() returns event_trigger language plpgsql as 'begin end';
create event trigger theirs_of_catalog on ddl_command_end execute function public.watch();

-- # on the whole server

-- settings of roles
alter role anon set statement_timeout = '3s';
alter role service_role createdb;

-- roles that are members of the clients'
create role theirs_of_catalog;
grant anon, service_role to theirs_of_catalog;
