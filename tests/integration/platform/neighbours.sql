-- What others have beside our tables, some of it open to clients: no migration is blamed for it, unless it opens more.

create schema theirs;
create schema hidden;
grant usage on schema theirs to anon;

create table theirs.notes (content text);
alter table theirs.notes enable row level security;
create policy all_notes on theirs.notes using (true);
grant select, insert on theirs.notes to anon;

create table theirs.open (text text);
grant all on theirs.open to anon;

create view theirs.report as select id, content from public.memories;
create view theirs.ids as select id, content from public.memories;
grant select (id) on theirs.ids to anon;
create view hidden.report as select id from public.memories;
grant select on hidden.report to authenticated;

create function theirs.hello() returns text language sql security definer set search_path = '' as $$ select 'hello' $$;
create function theirs.nobody() returns trigger language plpgsql as $$ begin return null; end $$;
revoke execute on function theirs.nobody() from public;
