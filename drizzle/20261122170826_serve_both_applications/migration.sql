-- Expand. From here on the old and the new application work side by side: both names of the catalog can be read and
-- written, and triggers copy what the old application owns to the schema archive.

-- Made beforehand by somebody who may, it serves as it is; but it must hold nothing of theirs.
do $$
begin
  if to_regnamespace('archive') is null then
    create schema archive;
  elsif exists (select from pg_catalog.pg_class c
                 where c.relnamespace = 'archive'::regnamespace
                   and not (c.relkind in ('r', 'i') and c.relname in ('system_agents', 'system_agents_pkey', 'ix_system_agents_llm_id')))
     or exists (select from pg_catalog.pg_proc p where p.pronamespace = 'archive'::regnamespace) then
    raise exception 'the schema archive holds objects that are not of this package'
      using errcode = 'duplicate_schema', hint = 'Rename it: alter schema archive rename to ...;';
  end if;
  if pg_has_role((select nspowner from pg_catalog.pg_namespace where nspname = 'archive'), 'usage') then
    comment on schema archive is 'Rows that @agents/db keeps for a rollback.';
    revoke all on schema archive from public, anon, authenticated, service_role;
  end if;
end;
$$;
--> statement-breakpoint

-- The rows of user_agents. No key to llms: a model may be deleted after the table is gone.
create table archive.user_agents (
  like public.user_agents,
  constraint user_agents_pkey                  primary key (id),
  constraint uq_user_agents_user_id_agent_type unique (user_id, agent_type),
  constraint fk_user_agents_user_id            foreign key (user_id)    references auth.users (id) on delete cascade,
  constraint fk_user_agents_created_by         foreign key (created_by) references auth.users (id) on delete set null,
  constraint fk_user_agents_updated_by         foreign key (updated_by) references auth.users (id) on delete set null
);
--> statement-breakpoint

create index ix_user_agents_created_by on archive.user_agents (created_by);
--> statement-breakpoint

create index ix_user_agents_updated_by on archive.user_agents (updated_by);
--> statement-breakpoint

-- The users that the old schema has served. A user who is neither here nor in user_agents signed up after the drop.
create table archive.profiles (
  id uuid not null,
  constraint profiles_pkey  primary key (id),
  constraint fk_profiles_id foreign key (id) references public.profiles (id) on delete cascade on update cascade
);
--> statement-breakpoint

-- Settings as they were, where taking out an empty agent_prompts would not bring them back.
create table archive.profile_settings (
  profile_id uuid  not null,
  settings   jsonb not null,
  constraint profile_settings_pkey          primary key (profile_id),
  constraint fk_profile_settings_profile_id foreign key (profile_id) references public.profiles (id) on delete cascade on update cascade
);
--> statement-breakpoint

-- The agent_id of each memory that has one.
create table archive.memory_agents (
  memory_id uuid not null,
  agent_id  uuid not null,
  constraint memory_agents_pkey         primary key (memory_id),
  constraint fk_memory_agents_memory_id foreign key (memory_id) references public.memories (id) on delete cascade on update cascade
);
--> statement-breakpoint

-- System agents of a type that the old schema does not know, moved here by an earlier rollback.
create table if not exists archive.system_agents (
  like public.user_agent_catalog,
  constraint system_agents_pkey      primary key (id),
  constraint fk_system_agents_llm_id foreign key (llm_id) references public.llms (id) on delete restrict
);
--> statement-breakpoint

create index if not exists ix_system_agents_llm_id on archive.system_agents (llm_id);
--> statement-breakpoint

alter table archive.user_agents enable row level security;
--> statement-breakpoint

alter table archive.profiles enable row level security;
--> statement-breakpoint

alter table archive.profile_settings enable row level security;
--> statement-breakpoint

alter table archive.memory_agents enable row level security;
--> statement-breakpoint

alter table archive.system_agents enable row level security;
--> statement-breakpoint

revoke all on all tables in schema archive from public, anon, authenticated, service_role;
--> statement-breakpoint

-- Keeps the copy of a row of user_agents current.
create function archive.copy_user_agent()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- A client at repeatable read cannot see a row that was copied after its snapshot. It must fail here (40001), rather
  -- than leave the copy as it was. Where a user is deleted, the keys of the copy see to that.
  if tg_op <> 'INSERT' and current_setting('transaction_isolation') <> 'read committed' and pg_trigger_depth() = 1 then
    insert into archive.user_agents
           (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at,
            deleted_at)
    values (old.id, old.user_id, old.llm_id, old.agent_type, old.config, old.status, old.created_by,
            old.updated_by, old.created_at, old.updated_at, old.deleted_at)
    on conflict do nothing;
  end if;

  if tg_op = 'DELETE' then
    delete from archive.user_agents where id = old.id;
  elsif tg_op = 'UPDATE' then
    -- A user who is deleted leaves both tables by their own keys, one column at a time: none is put back here.
    update archive.user_agents k
       set (id, user_id, llm_id, agent_type, config, status, created_by, updated_by,
            created_at, updated_at, deleted_at)
         = (new.id, new.user_id, new.llm_id, new.agent_type, new.config, new.status,
            case when new.created_by is distinct from old.created_by then new.created_by else k.created_by end,
            case when new.updated_by is distinct from old.updated_by then new.updated_by else k.updated_by end,
            new.created_at, new.updated_at, new.deleted_at)
     where k.id = old.id;
  else
    insert into archive.user_agents
           (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at,
            deleted_at)
    values (new.id, new.user_id, new.llm_id, new.agent_type, new.config, new.status, new.created_by,
            new.updated_by, new.created_at, new.updated_at, new.deleted_at)
    on conflict (id) do nothing;
  end if;
  return null;
end;
$$;
--> statement-breakpoint

create function archive.clear_user_agents()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from archive.user_agents;
  return null;
end;
$$;
--> statement-breakpoint

-- Keeps the copy of a memory's agent_id current. Writes only what is not there yet, as when a memory gets back the agent
-- that the archive kept for it. If the memory's id changes, the key of the copy follows.
create function archive.copy_memory_agent()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.agent_id is not distinct from old.agent_id then
    return null;
  end if;
  if new.agent_id is not null then
    insert into archive.memory_agents as k (memory_id, agent_id)
    values (new.id, new.agent_id)
    on conflict (memory_id) do update set agent_id = excluded.agent_id
     where k.agent_id <> excluded.agent_id;
  elsif tg_op = 'UPDATE' then
    -- For clients at repeatable read, as in copy_user_agent.
    insert into archive.memory_agents (memory_id, agent_id) values (new.id, old.agent_id) on conflict do nothing;
    delete from archive.memory_agents where memory_id = new.id;
  end if;
  return null;
end;
$$;
--> statement-breakpoint

-- The new application knows no agent_id; chk_memory_type_agent_id requires one where the type is 'work'.
create function archive.default_memory_agent()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.memory_type = 'work' and new.agent_id is null then
    select a.id
      into new.agent_id
      from public.user_agents a
     where a.user_id = new.user_id
       and a.agent_type = 'TASK_EXECUTION';
  elsif tg_op = 'UPDATE' and new.memory_type = 'user' and old.memory_type = 'work' then
    new.agent_id := null;
  end if;
  return new;
end;
$$;
--> statement-breakpoint

-- Copies the rows of user_agents in a range of ids that the triggers have not seen, or were kept from seeing, and says
-- how many.
create function archive.copy_user_agents(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
returns bigint
language sql
set search_path = ''
as $$
  with copied as (
    insert into archive.user_agents
           (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at,
            deleted_at)
    select a.id, a.user_id, a.llm_id, a.agent_type, a.config, a.status, a.created_by, a.updated_by,
           a.created_at, a.updated_at, a.deleted_at
      from public.user_agents a
     where a.id between first_id and last_id
       and not exists (
             select from archive.user_agents k
              where k.id = a.id
                and (k.user_id, k.llm_id, k.agent_type, k.config, k.status, k.created_by, k.updated_by, k.created_at,
                     k.updated_at, k.deleted_at)
                    is not distinct from
                    (a.user_id, a.llm_id, a.agent_type, a.config, a.status, a.created_by, a.updated_by, a.created_at,
                     a.updated_at, a.deleted_at))
       for share of a
    on conflict (id) do update
       set (user_id, llm_id, agent_type, config, status,
            created_by, updated_by, created_at, updated_at, deleted_at)
         = (excluded.user_id, excluded.llm_id, excluded.agent_type, excluded.config, excluded.status,
            excluded.created_by, excluded.updated_by, excluded.created_at, excluded.updated_at, excluded.deleted_at)
    returning 1
  )
  select count(*) from copied;
$$;
--> statement-breakpoint

-- The same for the agent_id of memories.
create function archive.copy_memory_agents(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
returns bigint
language sql
set search_path = ''
as $$
  with copied as (
    insert into archive.memory_agents (memory_id, agent_id)
    select m.id, m.agent_id
      from public.memories m
     where m.id between first_id and last_id
       and m.agent_id is not null
       and not exists (select from archive.memory_agents k where k.memory_id = m.id and k.agent_id = m.agent_id)
       for share of m
    on conflict (memory_id) do update set agent_id = excluded.agent_id
    returning 1
  )
  select count(*) from copied;
$$;
--> statement-breakpoint

-- Deletes copies of what is no longer there: they would come back in a rollback. Only while the tables hold every row.
create function archive.delete_stale_copies()
returns bigint
language sql
set search_path = ''
as $$
  with agents as (
    delete from archive.user_agents k
     where not exists (select from public.user_agents a where a.id = k.id)
    returning 1
  ), memories as (
    delete from archive.memory_agents k
     using public.memories m
     where m.id = k.memory_id and m.agent_id is null
    returning 1
  )
  select (select count(*) from agents) + (select count(*) from memories);
$$;
--> statement-breakpoint

-- Settings with an agent_prompts that is an object. Some drivers have stored an object as a JSON string that holds it:
-- then it is that object. Whatever else is no object becomes an empty one.
create function archive.with_agent_prompts(settings jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  decoded jsonb := settings;
begin
  if jsonb_typeof(settings) = 'string' then
    begin
      decoded := (settings #>> '{}')::jsonb;
    exception when others then
      null; -- A string that holds something else.
    end;
  end if;
  if jsonb_typeof(decoded) <> 'object' then
    decoded := '{}';
  end if;
  if jsonb_typeof(decoded -> 'agent_prompts') = 'object' then
    return decoded;
  end if;
  return decoded || '{"agent_prompts": {}}';
end;
$$;
--> statement-breakpoint

-- Gives agent_prompts to the profiles in a range of ids that lack them, whatever their settings are, and says how many
-- it repaired, and how many settings were no object. It first sets aside what the result would not tell afterwards.
create function archive.repair_settings(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff',
  out repaired bigint,
  out replaced bigint
)
language sql
set search_path = ''
as $$
  with lacking as (
    select p.id,
           p.settings,
           archive.with_agent_prompts(p.settings)                                         as repaired,
           jsonb_typeof(p.settings) = 'object' and p.settings -> 'agent_prompts' is null  as is_plain
      from public.profiles p
     where p.id between first_id and last_id
       and jsonb_typeof(p.settings -> 'agent_prompts') is distinct from 'object'
       for update
  ), set_aside as (
    insert into archive.profile_settings (profile_id, settings)
    select l.id, l.settings from lacking l where not l.is_plain
    on conflict (profile_id) do update set settings = excluded.settings
  ), outdated as (
    delete from archive.profile_settings s using lacking l where s.profile_id = l.id and l.is_plain
  ), repaired as (
    update public.profiles p set settings = l.repaired from lacking l where p.id = l.id
  )
  select count(*),
         count(*) filter (where jsonb_typeof(settings) <> 'object' and lacking.repaired = '{"agent_prompts": {}}')
    from lacking;
$$;
--> statement-breakpoint

-- The same, for profiles that were made before this package: prompts that one of them has already are its own, so that an
-- empty agent_prompts stays in a rollback.
create function archive.add_agent_prompts(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff',
  out repaired bigint,
  out replaced bigint
)
language plpgsql
set search_path = ''
as $$
begin
  insert into archive.profile_settings (profile_id, settings)
  select p.id, p.settings
    from public.profiles p
   where p.id between first_id and last_id
     and jsonb_typeof(p.settings -> 'agent_prompts') = 'object'
     and not exists (select from archive.profiles k where k.id = p.id)
     for key share of p
  on conflict (profile_id) do nothing;

  select r.repaired, r.replaced into repaired, replaced from archive.repair_settings(first_id, last_id) r;

  insert into archive.profiles (id)
  select p.id
    from public.profiles p
   where p.id between first_id and last_id
     and not exists (select from archive.profiles k where k.id = p.id)
     for key share of p
  on conflict (id) do nothing;
end;
$$;
--> statement-breakpoint

-- For a rollback: settings as they were, wherever agent_prompts is still, or again, empty.
create function archive.restore_settings(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
returns bigint
language sql
set search_path = ''
as $$
  with empty as (
    select p.id, p.settings as now, s.settings as was
      from public.profiles p
      left join archive.profile_settings s on s.profile_id = p.id
     where p.id between first_id and last_id
       and (p.settings -> 'agent_prompts' = '{}' or p.settings = archive.with_agent_prompts(s.settings))
       for update of p
  ), restored as (
    update public.profiles p
       set settings = case
             when e.was is null then e.now - 'agent_prompts'
             when e.now = archive.with_agent_prompts(e.was) then e.was
             when jsonb_typeof(e.was) <> 'object' then e.now - 'agent_prompts'
             else e.now || jsonb_build_object('agent_prompts', e.was -> 'agent_prompts')
           end
      from empty e
     where p.id = e.id
       -- An agent_prompts that a profile had before us was an object already, and is the user's to empty.
       and jsonb_typeof(e.was -> 'agent_prompts') is distinct from 'object'
    returning 1
  )
  select count(*) from restored;
$$;
--> statement-breakpoint

-- For a rollback: gives the users who signed up since the drop what the old trigger would have given them, and says how
-- many users they are.
create function archive.add_new_users(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
returns bigint
language sql
set search_path = ''
as $$
  with added as (
    insert into archive.profiles (id)
    select p.id
      from public.profiles p
     where p.id between first_id and last_id
       and not exists (select from archive.profiles k where k.id = p.id)
       and not exists (select from archive.user_agents a where a.user_id = p.id)
       for key share of p
    returning id
  ), agents as (
    insert into archive.user_agents
           (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at)
    select gen_random_uuid(), n.id, c.llm_id, c.agent_type, c.config, c.status, n.id, n.id, now(), now()
      from added n
     cross join public.user_agent_catalog c
     where c.agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING')
  )
  select count(*) from added;
$$;
--> statement-breakpoint

-- For a rollback: the rows of user_agents in a range of ids.
create function archive.restore_user_agents(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
returns bigint
language sql
set search_path = ''
as $$
  with restored as (
    insert into public.user_agents
           (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at,
            deleted_at)
    select a.id, a.user_id, a.llm_id, a.agent_type, a.config, a.status, a.created_by, a.updated_by,
           a.created_at, a.updated_at, a.deleted_at
      from archive.user_agents a
     where a.id between first_id and last_id
       and not exists (select from public.user_agents p where p.id = a.id)
       -- So that nobody deletes the user meanwhile.
       for key share of a
    returning 1
  )
  select count(*) from restored;
$$;
--> statement-breakpoint

-- For a rollback: the agent_id of the memories in a range of ids. A 'work' memory that was written since receives its
-- owner's TASK_EXECUTION agent. Says how many did.
create function archive.restore_memory_agents(
  first_id uuid default '00000000-0000-0000-0000-000000000000',
  last_id  uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  given bigint;
begin
  -- What a memory says itself goes before what was kept of it.
  perform archive.copy_memory_agents(first_id, last_id);

  -- A memory that changed its type since follows the type; an agent that went with its user is none.
  delete from archive.memory_agents k
   using public.memories m
   where m.id between first_id and last_id
     and m.id = k.memory_id
     and (m.memory_type = 'user'
          or not exists (select from public.user_agents a where a.id = k.agent_id));

  insert into archive.memory_agents (memory_id, agent_id)
  select m.id, a.id
    from public.memories m
    join archive.user_agents a on a.user_id = m.user_id and a.agent_type = 'TASK_EXECUTION'
   where m.id between first_id and last_id
     and m.memory_type = 'work'
     and not exists (select from archive.memory_agents k where k.memory_id = m.id)
     for key share of m;
  get diagnostics given = row_count;

  update public.memories m
     set agent_id = case m.memory_type when 'work' then k.agent_id end
    from public.memories w
    left join archive.memory_agents k on k.memory_id = w.id
   where w.id between first_id and last_id
     and w.id = m.id
     and m.agent_id is distinct from case m.memory_type when 'work' then k.agent_id end;

  return given;
end;
$$;
--> statement-breakpoint

-- Raises what would prevent a rollback from restoring the rows, whichever state the tables are in.
create function archive.assert_restorable()
returns void
language plpgsql
set search_path = ''
as $$
declare
  missing text;
  lost bigint;
begin
  select string_agg(kept, ', ') into missing
    from unnest(array['archive.user_agents', 'archive.memory_agents', 'archive.profiles',
                      'archive.profile_settings']) as kept
   where to_regclass(kept) is null;
  if missing is not null then
    raise exception '%: the copies that a rollback needs are missing', missing
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The archive was dropped. Only a backup has the rows now.';
  end if;

  select count(*) into lost
    from archive.user_agents a
   where not exists (select from public.llms l where l.id = a.llm_id);
  if lost > 0 then
    raise exception 'archive.user_agents: % rows need a model that is no longer in public.llms', lost
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Bring the models back under their ids, or set another llm_id on these rows.';
  end if;

  select count(*) into lost from public.memories m where m.memory_type not in ('work', 'user');
  if lost > 0 then
    raise exception 'public.memories: % rows have a memory_type that the old schema does not know', lost
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'It knows work and user. Set one of them on these rows.';
  end if;

  select count(*) into lost
    from public.memories m
   where m.memory_type = 'work'
     and not exists (select from archive.memory_agents k
                       join archive.user_agents a on a.id = k.agent_id
                      where k.memory_id = m.id)
     and not exists (select from archive.user_agents a
                      where a.user_id = m.user_id and a.agent_type = 'TASK_EXECUTION')
     -- Who signed up since the drop will receive theirs from the catalog.
     and (exists (select from archive.profiles k where k.id = m.user_id)
          or exists (select from archive.user_agents a where a.user_id = m.user_id)
          or not exists (select from public.profiles p where p.id = m.user_id)
          or not exists (select from public.system_agents c where c.agent_type = 'TASK_EXECUTION'));
  if lost > 0 then
    raise exception 'public.memories: % work memories belong to users without a TASK_EXECUTION agent', lost
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The old schema wants an agent on each. Set their memory_type to user, or move them elsewhere.';
  end if;
end;
$$;
--> statement-breakpoint

-- Ends it all when no rollback is wanted any more: `agents-db archive drop`. What later migrations use stays, and so do
-- settings of which a profile has no more than this copy.
create function archive.drop_copies()
returns void
language plpgsql
set search_path = ''
as $$
begin
  if to_regclass('public.user_agents') is not null then
    raise exception 'public.user_agents still exists, and the archive follows it'
      using errcode = 'object_not_in_prerequisite_state', hint = 'Migrate to the end first.';
  end if;
  drop table if exists archive.profiles, archive.memory_agents;
  delete from archive.profile_settings
   where jsonb_typeof(settings -> 'agent_prompts') = 'object'
      or archive.with_agent_prompts(settings) <> '{"agent_prompts": {}}';
  drop table if exists archive.user_agents;
end;
$$;
--> statement-breakpoint

revoke all on all functions in schema archive from public, anon, authenticated, service_role;
--> statement-breakpoint

-- A profile with agent_prompts, for the new application; agents from the catalog, for the old one, as long as their table
-- exists.
create or replace function public.create_profile_for_new_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.profiles (id, username, settings)
  values (
    new.id,
    coalesce(
      nullif(btrim(case jsonb_typeof(new.raw_user_meta_data -> 'username')
                     when 'string' then new.raw_user_meta_data ->> 'username'
                   end, e' \t\n\r\f\x0b'), ''),
      nullif(btrim(split_part(new.email, '@', 1), e' \t\n\r\f\x0b'), ''),
      'user_' || left(new.id::pg_catalog.text, 8)
    ),
    '{"agent_prompts": {}}'
  )
  on conflict (id) do nothing;

  if to_regclass('public.user_agents') is not null then
    insert into archive.profiles (id) values (new.id) on conflict (id) do nothing;

    insert into public.user_agents (id, user_id, llm_id, agent_type, config, status, created_by, updated_by)
    select gen_random_uuid(), new.id, c.llm_id, c.agent_type, c.config, c.status, new.id, new.id
      from public.user_agent_catalog c
     where c.agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING')
    on conflict (user_id, agent_type) do nothing;
  end if;

  return new;
end;
$$;
--> statement-breakpoint

-- Said again for a database that was adopted: it may still have a project's default grants.
revoke all on function public.create_profile_for_new_user()
  from public, anon, authenticated, service_role;
--> statement-breakpoint

revoke all on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  from public, anon, authenticated, service_role;
--> statement-breakpoint

grant select, insert, update, delete on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  to service_role;
--> statement-breakpoint

create trigger copy_user_agent
  after insert or update or delete on public.user_agents
  for each row execute function archive.copy_user_agent();
--> statement-breakpoint

create trigger clear_user_agents
  after truncate on public.user_agents
  for each statement execute function archive.clear_user_agents();
--> statement-breakpoint

create trigger default_memory_agent
  before insert or update of memory_type on public.memories
  for each row execute function archive.default_memory_agent();
--> statement-breakpoint

create trigger copy_memory_agent
  after insert or update on public.memories
  for each row execute function archive.copy_memory_agent();
--> statement-breakpoint

with back as (
  delete from archive.system_agents a
   where not exists (select from public.user_agent_catalog c where c.agent_type = a.agent_type)
  returning a.*
)
insert into public.user_agent_catalog (id, agent_type, llm_id, config, status, created_at, updated_at)
select b.id, b.agent_type, b.llm_id, b.config, b.status, b.created_at, b.updated_at
  from back b;
--> statement-breakpoint

-- The new name, readable and writable as the table itself, under the caller's own rights.
create view public.system_agents with (security_invoker = true) as
select id, agent_type, llm_id, config, status, created_at, updated_at
  from public.user_agent_catalog;
--> statement-breakpoint

revoke all on public.system_agents from public, anon, authenticated, service_role;
--> statement-breakpoint

grant select, insert, update, delete on public.system_agents to service_role;
