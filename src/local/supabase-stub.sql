-- What a Supabase project contains before its first migration, as far as our migrations and tests can see it.
-- Runs in one transaction, with agents_db.deployer, agents_db.grants and agents_db.password set beforehand.

set local search_path = pg_catalog;
set local client_min_messages = warning;

-- A real Supabase is left alone. This comes first, so that no other error hides it.
do $$
begin
  if to_regnamespace('auth') is not null
     and obj_description(to_regnamespace('auth'), 'pg_namespace')
         is distinct from 'Supabase stub, made by @agents/db'
  then
    raise exception 'database "%" has a schema "auth" of its own', current_database()
      using errcode = 'object_not_in_prerequisite_state',
            hint    = 'The Supabase stub is only for databases without one.';
  end if;
end
$$;

-- Installs run one at a time, even in two databases: roles belong to the whole server, and an advisory lock only
-- to one database.
lock table pg_authid in share row exclusive mode;

do $$
declare
  deployer   constant text := current_setting('agents_db.deployer');
  password   constant text := current_setting('agents_db.password');
  name       text;
  attributes text;
begin
  for name, attributes in
    values ('anon',                'nologin noinherit'),
           ('authenticated',       'nologin noinherit'),
           ('service_role',        'nologin noinherit bypassrls'),
           ('authenticator',       'login noinherit'),
           ('supabase_auth_admin', 'nologin noinherit createrole'),
           (deployer,              'login createdb createrole bypassrls')
  loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I %s', name, attributes);
    end if;
  end loop;

  execute format('grant anon, authenticated, service_role to authenticator, %I', deployer);
  if password <> '' then
    execute format('alter role %I password %L', deployer, password);
  end if;
end
$$;

create schema if not exists auth authorization supabase_auth_admin;

comment on schema auth is 'Supabase stub, made by @agents/db';

create table if not exists auth.users (
  instance_id                 uuid,
  id                          uuid         not null primary key,
  aud                         varchar(255),
  role                        varchar(255),
  email                       varchar(255),
  encrypted_password          varchar(255),
  email_confirmed_at          timestamptz,
  invited_at                  timestamptz,
  confirmation_token          varchar(255),
  confirmation_sent_at        timestamptz,
  recovery_token              varchar(255),
  recovery_sent_at            timestamptz,
  email_change                varchar(255),
  email_change_sent_at        timestamptz,
  last_sign_in_at             timestamptz,
  raw_app_meta_data           jsonb,
  raw_user_meta_data          jsonb,
  is_super_admin              boolean,
  created_at                  timestamptz,
  updated_at                  timestamptz,
  phone                       text         unique default null,
  phone_confirmed_at          timestamptz,
  confirmed_at                timestamptz  generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
  banned_until                timestamptz,
  is_sso_user                 boolean      not null default false,
  deleted_at                  timestamptz,
  is_anonymous                boolean      not null default false
);

create unique index if not exists users_email_partial_key on auth.users (email) where is_sso_user = false;
create index if not exists users_instance_id_idx on auth.users (instance_id);

alter table auth.users owner to supabase_auth_admin;
alter table auth.users enable row level security;

create or replace function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create or replace function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;

create or replace function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

alter function auth.uid()  owner to supabase_auth_admin;
alter function auth.role() owner to supabase_auth_admin;
alter function auth.jwt()  owner to supabase_auth_admin;

grant usage on schema auth, public to anon, authenticated, service_role;

-- The deployer can use auth and grant its privileges to others, but owns nothing there and cannot create there.
-- It can create in public, since it owns the database.
do $$
declare
  deployer constant text := current_setting('agents_db.deployer');
  kind     text;
begin
  execute format('grant usage on schema auth to %I', deployer);
  execute format('grant all on auth.users to %I with grant option', deployer);
  execute format('grant execute on all functions in schema auth to %I', deployer);
  execute format('alter database %I owner to %I', current_database(), deployer);

  foreach kind in array array['tables', 'sequences', 'functions'] loop
    execute format(
      case current_setting('agents_db.grants')
        when 'old' then 'alter default privileges for role %1$I in schema public'
                        ' grant all on %2$s to %1$I, anon, authenticated, service_role'
        when 'new' then 'alter default privileges for role %1$I in schema public'
                        ' revoke all on %2$s from %1$I, anon, authenticated, service_role'
      end, deployer, kind);
  end loop;
end
$$;
