-- What a migration may break, and every probe that fails then.

-- # by the deployer

-- the trigger raises
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin raise exception 'no more users'; end $$;
--> a sign-up with e-mail: no more users (SQLSTATE P0001)
--> a sign-up without e-mail: no more users (SQLSTATE P0001)

-- the trigger fails an assertion
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin assert false, 'never'; return new; end $$;
--> a sign-up with e-mail: never (SQLSTATE P0004)
--> a sign-up without e-mail: never (SQLSTATE P0004)

-- the trigger does not compile
set local check_function_bodies = off;
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin this is no language; end $$;
--> a sign-up with e-mail: syntax error at or near "this" (SQLSTATE 42601)
--> a sign-up without e-mail: syntax error at or near "this" (SQLSTATE 42601)

-- the trigger cannot do without an e-mail address
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, username) values (new.id, lower(new.email));
  if new.email is null then raise not_null_violation; end if;
  return new;
end $$;
--> a sign-up without e-mail: not_null_violation (SQLSTATE 23502)

-- the trigger makes no profile
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin return new; end $$;
--> a sign-up with e-mail: it makes no profile with a name
--> a sign-up without e-mail: it makes no profile with a name

-- the trigger makes a profile with an empty name
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin insert into public.profiles (id, username) values (new.id, ''); return new; end $$;
--> a sign-up with e-mail: it makes no profile with a name
--> a sign-up without e-mail: it makes no profile with a name

-- the trigger has the rights of its caller
alter function public.create_profile_for_new_user() security invoker;
--> a sign-up with e-mail: its function is not security definer
--> a sign-up without e-mail: its function is not security definer

-- the trigger is bound to updates
create or replace trigger on_auth_user_created after update on auth.users
  for each row execute function public.create_profile_for_new_user();
--> a sign-up with e-mail: it makes no profile with a name
--> a sign-up without e-mail: it makes no profile with a name

-- a column that the trigger writes is renamed
alter table public.profiles rename column username to name;
--> a sign-up with e-mail: column "username" of relation "profiles" does not exist (SQLSTATE 42703)
--> a sign-up without e-mail: column "username" of relation "profiles" does not exist (SQLSTATE 42703)

-- select is opened
alter policy anon_select_memories on public.memories using (true);
--> anon can select nothing from public.memories: it met a row

-- insert is opened
alter policy anon_insert_llms on public.llms with check (true);
--> anon can insert nothing into public.llms: duplicate key value violates unique constraint "llms_pkey"

-- update is opened
alter policy authenticated_update_profiles on public.profiles using (true) with check (true);
--> authenticated can update nothing of public.profiles: it met a row

-- delete is opened
alter policy authenticated_delete_system_agents on public.system_agents using (true);
--> authenticated can delete nothing from public.system_agents: it met a row

-- all is opened to a role
create policy open on public.llms to authenticated using (true);
--> authenticated can select nothing from public.llms: it met a row
--> authenticated can insert nothing into public.llms: duplicate key value violates unique constraint "llms_pkey"
--> authenticated can update nothing of public.llms: it met a row
--> authenticated can delete nothing from public.llms: it met a row

-- all is opened to everybody
create policy open on public.profiles using (true) with check (true);
--> anon can select nothing from public.profiles: it met a row
--> anon can insert nothing into public.profiles: duplicate key value violates unique constraint "profiles_pkey"
--> anon can update nothing of public.profiles: it met a row
--> anon can delete nothing from public.profiles: it met a row
--> authenticated can select nothing from public.profiles: it met a row
--> authenticated can insert nothing into public.profiles: duplicate key value violates unique constraint "profiles_pkey"
--> authenticated can update nothing of public.profiles: it met a row
--> authenticated can delete nothing from public.profiles: it met a row

-- row level security is off
alter table public.memories disable row level security;
--> anon can select nothing from public.memories: it met a row
--> anon can insert nothing into public.memories: duplicate key value violates unique constraint "memories_pkey"
--> anon can update nothing of public.memories: it met a row
--> anon can delete nothing from public.memories: it met a row
--> authenticated can select nothing from public.memories: it met a row
--> authenticated can insert nothing into public.memories: duplicate key value violates unique constraint "memories_pkey"
--> authenticated can update nothing of public.memories: it met a row
--> authenticated can delete nothing from public.memories: it met a row

-- truncate is granted
grant truncate on public.memories to anon;
--> anon cannot truncate public.memories: it holds the privilege

-- truncate is granted to everybody
grant truncate on public.llms to public;
--> anon cannot truncate public.llms: it holds the privilege
--> authenticated cannot truncate public.llms: it holds the privilege

-- execute is granted
grant execute on function public.keep_updated_at() to anon;
--> anon cannot execute public.keep_updated_at(): it holds the privilege

-- the archive is opened
grant usage on schema archive to anon;
grant select on archive.user_agents to anon;
--> anon cannot reach archive.user_agents: it holds the privilege

-- a column of the archive is opened
grant usage on schema archive to anon;
grant select (agent_id) on archive.memory_agents to anon;
--> anon cannot reach archive.memory_agents: it holds the privilege

-- # by a superuser

-- the trigger is dropped
drop trigger on_auth_user_created on auth.users;
--> a sign-up with e-mail: it makes no profile with a name
--> a sign-up without e-mail: it makes no profile with a name

-- the trigger is disabled
alter table auth.users disable trigger on_auth_user_created;
--> a sign-up with e-mail: it makes no profile with a name
--> a sign-up without e-mail: it makes no profile with a name
