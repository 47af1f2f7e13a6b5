-- What projects want otherwise for good. The statements run before the migrations, or after them, as superuser.

-- # before

-- a reader's grants, by default
create role reader_of_ours;
grant usage on schema public to reader_of_ours;
alter default privileges for role agents_deployer in schema public grant select on tables to reader_of_ours;

-- # after

-- an extension's trigger that keeps updated_at
create schema extensions;
create function extensions.moddatetime() returns trigger language plpgsql as 'begin return new; end';
create trigger handle_updated_at before update on public.profiles
  for each row execute function extensions.moddatetime('updated_at');

-- the grants of an auth hook
grant usage on schema public to supabase_auth_admin;
grant select, update (settings) on public.profiles to supabase_auth_admin;

-- an audit trigger, and a column it fills
create schema audit;
create function audit.note() returns trigger language plpgsql as 'begin return null; end';
create trigger audit after insert or update or delete on public.memories for each row execute function audit.note();
alter table public.memories add column audited boolean;

-- a rule of their own on a column, and a unique index
alter table public.memories add constraint their_length check (length(content) < 1000000);
create unique index their_content on public.memories (content);
