-- What migration.sql does, 250 rows at a time and a commit after each, so that no row is locked for long.
-- It waits for no lock longer than 100 ms; a run that gives up, or is killed, is simply run again.

do $$
declare
  after_id uuid := '00000000-0000-0000-0000-000000000000';
  last_id  uuid;
  batch    bigint;
  copied   bigint := 0;
  told     timestamptz := clock_timestamp();
begin
  loop
    perform set_config('lock_timeout', '100ms', true);
    select b.id into last_id
      from (select id from public.user_agents where id > after_id order by id limit 250) as b
     order by b.id desc
     limit 1;
    exit when last_id is null;

    insert into archive.user_agents
           (id, user_id, llm_id, agent_type, config, status,
            created_by, updated_by, created_at, updated_at, deleted_at)
    select a.id, a.user_id, a.llm_id, a.agent_type, a.config, a.status,
           a.created_by, a.updated_by, a.created_at, a.updated_at, a.deleted_at
      from public.user_agents a
     where a.id > after_id and a.id <= last_id
       and not exists (select from archive.user_agents k where k.id = a.id)
       for share of a
    on conflict (id) do nothing;
    get diagnostics batch = row_count;
    commit;

    after_id := last_id;
    copied := copied + batch;
    if clock_timestamp() > told + interval '1 second' then
      raise info 'archived % rows of user_agents', copied;
      told := clock_timestamp();
    end if;
  end loop;
end;
$$;
--> statement-breakpoint

do $$
declare
  after_id uuid := '00000000-0000-0000-0000-000000000000';
  last_id  uuid;
  batch    bigint;
  copied   bigint := 0;
  told     timestamptz := clock_timestamp();
begin
  loop
    perform set_config('lock_timeout', '100ms', true);
    select b.id into last_id
      from (select id from public.memories where id > after_id order by id limit 250) as b
     order by b.id desc
     limit 1;
    exit when last_id is null;

    insert into archive.memory_agents (memory_id, agent_id)
    select m.id, m.agent_id
      from public.memories m
     where m.id > after_id and m.id <= last_id
       and m.agent_id is not null
       and not exists (select from archive.memory_agents k where k.memory_id = m.id)
       for share of m
    on conflict (memory_id) do nothing;
    get diagnostics batch = row_count;
    commit;

    after_id := last_id;
    copied := copied + batch;
    if clock_timestamp() > told + interval '1 second' then
      raise info 'archived the agent_id of % memories', copied;
      told := clock_timestamp();
    end if;
  end loop;
end;
$$;
--> statement-breakpoint

do $$
declare
  after_id uuid := '00000000-0000-0000-0000-000000000000';
  last_id  uuid;
  repaired bigint := 0;
  told     timestamptz := clock_timestamp();
begin
  loop
    perform set_config('lock_timeout', '100ms', true);
    select b.id into last_id
      from (select id from public.profiles where id > after_id order by id limit 250) as b
     order by b.id desc
     limit 1;
    exit when last_id is null;

    insert into archive.profile_settings (profile_id, settings)
    select p.id, p.settings
      from public.profiles p
     where p.id > after_id and p.id <= last_id
       and jsonb_typeof(p.settings -> 'agent_prompts') = 'object'
       and not exists (select from archive.profiles k where k.id = p.id)
       for key share of p
    on conflict (profile_id) do nothing;

    repaired := repaired + archive.repair_settings(after_id, last_id);

    insert into archive.profiles (id)
    select p.id
      from public.profiles p
     where p.id > after_id and p.id <= last_id
       and not exists (select from archive.profiles k where k.id = p.id)
       for key share of p
    on conflict (id) do nothing;
    commit;

    after_id := last_id;
    if clock_timestamp() > told + interval '1 second' then
      raise info 'gave agent_prompts to % profiles', repaired;
      told := clock_timestamp();
    end if;
  end loop;
end;
$$;
