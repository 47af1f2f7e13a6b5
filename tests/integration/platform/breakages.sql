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
--> no policy opens public.memories: anon_select_memories lets clients through

-- insert is opened
alter policy anon_insert_llms on public.llms with check (true);
--> anon can insert nothing into public.llms: duplicate key value violates unique constraint "uq_llms_model_code"
--> no policy opens public.llms: anon_insert_llms lets clients through

-- update is opened
alter policy authenticated_update_profiles on public.profiles using (true) with check (true);
--> authenticated can update nothing of public.profiles: it met a row
--> no policy opens public.profiles: authenticated_update_profiles lets clients through

-- delete is opened
alter policy authenticated_delete_system_agents on public.system_agents using (true);
--> authenticated can delete nothing from public.system_agents: it met a row
--> no policy opens public.system_agents: authenticated_delete_system_agents lets clients through

-- all is opened to a role
create policy open on public.llms to authenticated using (true);
--> authenticated can select nothing from public.llms: it met a row
--> authenticated can insert nothing into public.llms: duplicate key value violates unique constraint "uq_llms_model_code"
--> authenticated can update nothing of public.llms: it met a row
--> authenticated can delete nothing from public.llms: it met a row
--> no policy opens public.llms: open lets clients through

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
--> no policy opens public.profiles: open lets clients through

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
create unique index uq_username on public.profiles (username) where username in ('x');
--> a sign-up with a username that is taken: duplicate key value violates unique constraint "uq_username" (SQLSTATE 23505)

-- usernames are bounded
alter table public.profiles alter column username type varchar(255);
--> a sign-up with a long username: value too long for type character varying(255) (SQLSTATE 22001)

-- usernames have a least length
alter table public.profiles add constraint chk_username check (char_length(username) >= 3);
--> a sign-up with a short username: new row for relation "profiles" violates check constraint "chk_username" (SQLSTATE 23514)
--> a sign-up with a username that is taken: new row for relation "profiles" violates check constraint "chk_username" (SQLSTATE 23514)

-- usernames are of letters and digits
alter table public.profiles add constraint chk_username check (username ~ '^[[:alnum:]_. -]+$');
--> a sign-up with a username of every kind of character: new row for relation "profiles" violates check constraint "chk_username" (SQLSTATE 23514)

-- an index has no room for long usernames
create index ix_username on public.profiles (username);
--> a sign-up with a long username: index row requires 10256 bytes, maximum size is 8191 (SQLSTATE 54000)

-- short usernames are dropped without a word
create function public.drop_short() returns trigger language plpgsql as $$
begin return case when length(new.username) > 2 then new end; end $$;
create trigger drop_short before insert on public.profiles for each row execute function public.drop_short();
--> a sign-up with a short username: it makes no profile with a name
--> a sign-up with a username that is taken: it makes no profile with a name

-- a row is opened to who owns it
create policy own on public.memories for select using (user_id = (select auth.uid()));
--> anon can select nothing from public.memories: it met a row
--> authenticated can select nothing from public.memories: it met a row
--> no policy opens public.memories: own lets clients through

-- owners may add rows
create policy own on public.memories for insert to authenticated with check (user_id = auth.uid());
--> authenticated can insert nothing into public.memories: it added a row
--> no policy opens public.memories: own lets clients through

-- rows are opened to a role by what its token says
create policy own on public.profiles for delete using (auth.role() = 'authenticated');
--> authenticated can delete nothing from public.profiles: it met a row
--> no policy opens public.profiles: own lets clients through

-- rows are opened to a token that nobody here holds
create policy admins on public.memories to authenticated
  using (current_setting('request.jwt.claims', true)::jsonb ->> 'level' = 'admin');
--> no policy opens public.memories: admins lets clients through

-- a table is granted
grant select on public.memories to authenticated;
--> authenticated is granted nothing on public.memories: it holds SELECT

-- a column is granted
grant select (username), references (id) on public.profiles to public;
--> anon is granted nothing on public.profiles: it holds SELECT, REFERENCES
--> authenticated is granted nothing on public.profiles: it holds SELECT, REFERENCES

-- a table becomes the child of one that is open
alter table public.memories inherit theirs.notes;
--> public.memories inherits nothing: public.memories inherits theirs.notes

-- a view shows what its owner sees
create view public.names as select username from public.profiles;
revoke all on public.names from authenticated;
--> anon cannot reach public.names: it uses public.profiles with the rights of its owner

-- a column of a view that shows what its owner sees is granted
grant select (content) on theirs.report to anon;
--> anon cannot reach theirs.report: it uses public.memories with the rights of its owner

-- another column of such a view is granted
grant select (content) on theirs.ids to anon;
--> anon cannot reach theirs.ids: it uses public.memories with the rights of its owner

-- a schema is opened, where a view was granted before
grant usage on schema hidden to authenticated;
--> authenticated cannot reach hidden.report: it uses public.memories with the rights of its owner

-- an open view gets another query
create or replace rule "_RETURN" as on select to theirs.ids do instead select content::uuid as id, content from public.memories;
--> anon cannot reach theirs.ids: it uses public.memories with the rights of its owner

-- a rule of an open table changes ours
create rule empty as on insert to theirs.notes do also delete from public.memories;
--> anon cannot reach theirs.notes: it uses public.memories with the rights of its owner

-- a view of a view of the archive
create view public.inner_agents as select agent_id from archive.memory_agents;
revoke all on public.inner_agents from anon, authenticated;
create view public.outer_agents as select agent_id from public.inner_agents;
revoke all on public.outer_agents from anon;
grant select on public.outer_agents to authenticated;
--> authenticated cannot reach public.outer_agents: it uses archive.memory_agents with the rights of its owner

-- a function does what its owner may do
create function public.count_memories() returns bigint language sql security definer set search_path = ''
  as 'select count(*) from public.memories';
revoke execute on function public.count_memories() from authenticated, public;
grant execute on function public.count_memories() to anon;
--> anon cannot execute public.count_memories(): it would act with the rights of its owner

-- an open function of that kind gets another body
create or replace function theirs.hello() returns text language sql security definer set search_path = ''
  as 'select content from public.memories limit 1';
--> anon cannot execute theirs.hello(): it would act with the rights of its owner

-- a table is new, and open
create table public.notes (text text);
revoke all on public.notes from anon, authenticated;
grant insert on public.notes to anon;
--> anon cannot reach public.notes: it holds INSERT, and the table has no row level security

-- row level security is off, where others stood behind it
alter table theirs.notes disable row level security;
--> anon cannot reach theirs.notes: it holds SELECT, INSERT, and the table has no row level security

-- a client may empty a table of others
grant truncate on theirs.notes to anon;
--> anon cannot reach theirs.notes: it holds TRUNCATE, which row level security does not stop

-- a client may put triggers on a table
grant trigger on public.llms to anon;
--> anon is granted nothing on public.llms: it holds TRIGGER

-- # by a superuser

-- a client becomes a member of a role
grant service_role to anon;
--> anon cannot act as service_role: it is a member of that role

-- somebody else's function lets nobody in
create trigger aaa before insert on auth.users for each row execute function theirs.nobody();
--> every sign-up: another trigger let nobody sign up (SQLSTATE P0001)

-- the trigger is dropped
drop trigger on_auth_user_created on auth.users;
--> every sign-up: it makes no profile with a name

-- the trigger is disabled
alter table auth.users disable trigger on_auth_user_created;
--> every sign-up: it makes no profile with a name
