-- The five tables as another tool would have made them: the names are the baseline's; the order of the columns, the way
-- to each constraint, and the sign-up function are not. Whatever a project grants by default is left in place.

create table public.alembic_version (
  version_num varchar(32) not null constraint alembic_version_pkc primary key
);
insert into public.alembic_version values ('20260301_before');

create table public.profiles (
  created_at timestamptz default now() not null,
  updated_at timestamptz default now() not null,
  settings   jsonb default '{}'::jsonb not null,
  bio        text,
  avatar_url text,
  username   text,
  id         uuid not null
);
create table public.user_agents (
  deleted_at timestamptz,
  updated_by uuid references auth.users (id) on delete set null,
  created_by uuid references auth.users (id) on delete set null,
  status     varchar(20) not null,
  config     jsonb default '{}'::jsonb not null,
  agent_type varchar(20) not null,
  llm_id     uuid not null,
  user_id    uuid not null,
  updated_at timestamptz default now() not null,
  created_at timestamptz default now() not null,
  id         uuid primary key
);
create table public.memories (
  status      varchar(20) not null,
  id          uuid default gen_random_uuid() not null,
  memory_type varchar(20) not null,
  agent_id    uuid,
  content     text not null,
  user_id     uuid not null constraint fk_memories_user_id references auth.users on delete cascade,
  created_at  timestamptz default now() not null,
  updated_at  timestamptz default now() not null,
  constraint chk_memory_type_agent_id
    check (memory_type = 'work' and agent_id is not null or memory_type = 'user' and agent_id is null)
);
create table public.llms (
  id           uuid primary key,
  status       character varying(20),
  display_name character varying(100),
  provider     character varying(50),
  model_code   character varying(100) unique,
  config       jsonb default '{}',
  created_at   timestamp with time zone not null,
  updated_at   timestamp with time zone not null
);
create table public.user_agent_catalog (
  id         uuid primary key default gen_random_uuid(),
  config     jsonb not null default '{}',
  status     varchar(20) not null,
  llm_id     uuid not null,
  agent_type varchar(20) not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint fk_user_agent_catalog_llm_id foreign key (llm_id) references public.llms (id) on delete restrict,
  constraint uq_user_agent_catalog_agent_type unique (agent_type),
  constraint chk_user_agent_catalog_status check (status in ('active', 'inactive'))
);

alter table public.llms
  alter column id           set default gen_random_uuid(),
  alter column status       set not null,
  alter column display_name set not null,
  alter column provider     set not null,
  alter column model_code   set not null,
  alter column config       set not null,
  alter column created_at   set default now(),
  alter column updated_at   set default now();
alter table public.llms rename constraint llms_model_code_key to uq_llms_model_code;

alter table public.profiles add primary key (id);
alter table public.profiles add constraint fk_profiles_id
  foreign key (id) references auth.users (id) on delete cascade not valid;
alter table public.profiles validate constraint fk_profiles_id;

alter table public.user_agents rename constraint user_agents_created_by_fkey to fk_user_agents_created_by;
alter table public.user_agents rename constraint user_agents_updated_by_fkey to fk_user_agents_updated_by;
alter table public.user_agents
  add constraint fk_user_agents_user_id foreign key (user_id) references auth.users (id) on delete cascade,
  add constraint fk_user_agents_llm_id foreign key (llm_id) references public.llms (id) on delete restrict,
  add constraint chk_agent_type
    check (agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING'));
create unique index by_owner on public.user_agents (user_id, agent_type);
alter table public.user_agents add constraint uq_user_agents_user_id_agent_type unique using index by_owner;
create index ix_user_agents_agent_type on public.user_agents (agent_type);
create index ix_user_agents_status on public.user_agents (status);

create unique index memories_pkey on public.memories (id);
alter table public.memories add primary key using index memories_pkey;
alter table public.memories add constraint fk_memories_agent_id
  foreign key (agent_id) references public.user_agents on delete cascade;
create index ix_memories_agent_type_status on public.memories (agent_id, memory_type, status);

do $$
declare
  t text; r text; a text;
begin
  foreach t in array array['memories', 'llms', 'user_agents', 'profiles', 'user_agent_catalog'] loop
    execute format('alter table public.%I enable row level security', t);
    foreach r in array array['authenticated', 'anon'] loop
      foreach a in array array['delete', 'update', 'insert', 'select'] loop
        execute format('create policy %I on public.%I for %s to %I%s%s', r || '_' || a || '_' || t, t, a, r,
                       case when a <> 'insert' then ' using (false)' end,
                       case when a in ('insert', 'update') then ' with check (false)' end);
      end loop;
    end loop;
  end loop;
end $$;

create function public.create_profile_for_new_user() returns trigger as $$
declare
  called text := new.raw_user_meta_data ->> 'username';
begin
  if called is null then
    called := split_part(new.email, '@', 1);
  end if;
  insert into profiles (id, username)
  values (new.id, coalesce(called, concat('user_', substring(new.id::text, 1, 8))));
  insert into user_agents (id, user_id, created_by, updated_by, llm_id, agent_type, config, status)
  select gen_random_uuid(), new.id, new.id, new.id, c.llm_id, c.agent_type, c.config, c.status
    from user_agent_catalog c;
  return new;
end $$ language plpgsql security definer set search_path = public;
create trigger on_auth_user_created after insert on auth.users
  for each row execute procedure public.create_profile_for_new_user();

-- What is not ours, and refers to what is.
create table public.invoices (
  number  bigint generated always as identity primary key,
  profile uuid references public.profiles (id) on delete set null,
  model   uuid references public.llms (id)
);
insert into public.invoices (profile) values (null), (null);
create view public.wordiest as select user_id, max(length(content)) as letters from public.memories group by user_id;
revoke all on public.wordiest from anon, authenticated;
create schema billing;
create table billing.profiles (id int primary key);
create index ix_of_their_own on public.profiles (username);
comment on table public.profiles is 'Who is who';
