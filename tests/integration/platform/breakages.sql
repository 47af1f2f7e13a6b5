-- What a migration may break, and every probe that fails then.

-- # by the deployer

-- the trigger raises
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin raise exception 'no more users'; end $$;
--> every sign-up: no more users (SQLSTATE P0001)

-- the trigger fails an assertion
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin assert false, 'never'; return new; end $$;
--> every sign-up: never (SQLSTATE P0004)

-- the trigger does not compile
set local check_function_bodies = off;
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin this is no language; end $$;
--> every sign-up: syntax error at or near "this" (SQLSTATE 42601)

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
--> every sign-up: it makes no profile with a name

-- the trigger makes a profile with an empty name
create or replace function public.create_profile_for_new_user()
returns trigger language plpgsql security definer set search_path = '' as $$
begin insert into public.profiles (id, username) values (new.id, ''); return new; end $$;
--> every sign-up: it makes no profile with a name

-- the trigger has the rights of its caller
alter function public.create_profile_for_new_user() security invoker;
--> every sign-up: its function is not security definer

-- the trigger is bound to updates
create or replace trigger on_auth_user_created after update on auth.users
  for each row execute function public.create_profile_for_new_user();
--> every sign-up: it makes no profile with a name

-- a column that the trigger writes is renamed
alter table public.profiles rename column username to name;
--> every sign-up: column "username" of relation "profiles" does not exist (SQLSTATE 42703)

-- select is opened
alter policy anon_select_memories on public.memories using (true);
--> anon can select nothing from public.memories: it met a row

-- insert is opened
alter policy anon_insert_llms on public.llms with check (true);
--> anon can insert nothing into public.llms: duplicate key value violates unique constraint "uq_llms_model_code"

-- update is opened
alter policy authenticated_update_profiles on public.profiles using (true) with check (true);
--> authenticated can update nothing of public.profiles: it met a row

-- delete is opened
alter policy authenticated_delete_system_agents on public.system_agents using (true);
--> authenticated can delete nothing from public.system_agents: it met a row

-- all is opened to a role
create policy open on public.llms to authenticated using (true);
--> authenticated can select nothing from public.llms: it met a row
--> authenticated can insert nothing into public.llms: duplicate key value violates unique constraint "uq_llms_model_code"
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
--> anon can insert nothing into public.memories: it added a row
--> anon can update nothing of public.memories: it met a row
--> anon can delete nothing from public.memories: it met a row
--> authenticated can select nothing from public.memories: it met a row
--> authenticated can insert nothing into public.memories: it added a row
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

-- a trigger raises when the sign-up is committed
create function public.refuse() returns trigger language plpgsql as $$ begin raise 'too late'; end $$;
create constraint trigger refuse after insert on public.profiles deferrable initially deferred
  for each row execute function public.refuse();
--> every sign-up: too late (SQLSTATE P0001)

-- usernames are unique
create unique index uq_username on public.profiles (username) where username like 'long %';
--> a sign-up with a username that is taken: duplicate key value violates unique constraint "uq_username" (SQLSTATE 23505)

-- usernames are short
alter table public.profiles add constraint chk_username check (length(username) <= 60);
--> a sign-up with a long username: new row for relation "profiles" violates check constraint "chk_username" (SQLSTATE 23514)
--> a sign-up with a username that is taken: new row for relation "profiles" violates check constraint "chk_username" (SQLSTATE 23514)

-- a row is opened to who owns it
create policy own on public.memories for select using (user_id = (select auth.uid()));
--> anon can select nothing from public.memories: it met a row
--> authenticated can select nothing from public.memories: it met a row

-- owners may add rows
create policy own on public.memories for insert to authenticated with check (user_id = auth.uid());
--> authenticated can insert nothing into public.memories: it added a row

-- rows are opened to a role by what its token says
create policy own on public.profiles for delete using (auth.role() = 'authenticated');
--> authenticated can delete nothing from public.profiles: it met a row

-- a view shows what its owner sees
create view public.names as select username from public.profiles;
revoke all on public.names from authenticated;
--> anon cannot reach public.names: it holds the privilege

-- a view of a view of the archive
create view public.inner_agents as select agent_id from archive.memory_agents;
revoke all on public.inner_agents from anon, authenticated;
create view public.outer_agents as select agent_id from public.inner_agents;
revoke all on public.outer_agents from anon;
grant select on public.outer_agents to authenticated;
--> authenticated cannot reach public.outer_agents: it holds the privilege

-- a function does what its owner may do
create function public.count_memories() returns bigint language sql security definer set search_path = ''
  as 'select count(*) from public.memories';
revoke execute on function public.count_memories() from authenticated, public;
grant execute on function public.count_memories() to anon;
--> anon cannot execute public.count_memories(): it holds the privilege

-- a table is new, and open
create table public.notes (text text);
revoke all on public.notes from anon, authenticated;
grant insert on public.notes to anon;
--> anon cannot reach public.notes: it holds the privilege

-- a client may put triggers on a table
grant trigger on public.llms to anon;
--> anon cannot put a trigger on public.llms: it holds the privilege

-- # by a superuser

-- a client becomes a member of a role
grant service_role to anon;
--> anon cannot act as service_role: it holds the privilege

-- the trigger is dropped
drop trigger on_auth_user_created on auth.users;
--> every sign-up: it makes no profile with a name

-- the trigger is disabled
alter table auth.users disable trigger on_auth_user_created;
--> every sign-up: it makes no profile with a name
