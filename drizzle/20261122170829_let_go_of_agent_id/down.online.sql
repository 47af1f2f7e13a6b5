-- What down.sql does, in parts: rows 250 at a time and a commit after each, the index concurrently, the
-- constraints for new rows first. It may be run again at any point, and waits for no lock longer than 100 ms, but for the
-- index: that waits for every transaction that was there before it, and keeps no client waiting meanwhile.
-- squawk-ignore-file ban-concurrent-index-creation-in-transaction -- this file runs outside of one

-- Who signed up since the drop receives what the old trigger would have given.
do $$
declare
  newcomers uuid[];
  given     bigint;
begin
  with added as (
    insert into archive.profiles (id)
    select p.id
      from public.profiles p
     where not exists (select from archive.profiles k where k.id = p.id)
       and not exists (select from archive.user_agents a where a.user_id = p.id)
       for key share of p
    returning id
  )
  select array_agg(id) into newcomers from added;

  insert into archive.user_agents
         (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at)
  select gen_random_uuid(), n.id, c.llm_id, c.agent_type, c.config, c.status, n.id, n.id, now(), now()
    from unnest(newcomers) as n (id)
   cross join public.user_agent_catalog c
   where c.agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING');
  get diagnostics given = row_count;
  if newcomers is not null then
    raise info 'gave % users who signed up since % agents from the catalog', cardinality(newcomers), given;
  end if;
end;
$$;
--> statement-breakpoint

do $$
declare
  after_id uuid := '00000000-0000-0000-0000-000000000000';
  last_id  uuid;
  batch    bigint;
  restored bigint := 0;
  told     timestamptz := clock_timestamp();
begin
  loop
    perform set_config('lock_timeout', '100ms', true);
    select b.id into last_id
      from (select id from archive.user_agents where id > after_id order by id limit 250) as b
     order by b.id desc
     limit 1;
    exit when last_id is null;

    begin
      insert into public.user_agents
             (id, user_id, llm_id, agent_type, config, status,
              created_by, updated_by, created_at, updated_at, deleted_at)
      select a.id, a.user_id, a.llm_id, a.agent_type, a.config, a.status,
             a.created_by, a.updated_by, a.created_at, a.updated_at, a.deleted_at
        from archive.user_agents a
       where a.id > after_id and a.id <= last_id
         and not exists (select from public.user_agents p where p.id = a.id);
      get diagnostics batch = row_count;
      after_id := last_id;
      restored := restored + batch;
    exception when foreign_key_violation then
      -- A user was deleted meanwhile? Their archived rows went with them: look at this batch again.
      perform archive.check_way_back();
    end;
    commit;

    if clock_timestamp() > told + interval '1 second' then
      raise info 'restored % rows of user_agents', restored;
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
  given    bigint := 0;
  restored bigint := 0;
  told     timestamptz := clock_timestamp();
begin
  loop
    perform set_config('lock_timeout', '100ms', true);
    select b.id into last_id
      from (select id from public.memories where id > after_id order by id limit 250) as b
     order by b.id desc
     limit 1;
    exit when last_id is null;

    -- What a memory says itself goes before what was kept of it.
    insert into archive.memory_agents as k (memory_id, agent_id)
    select m.id, m.agent_id
      from public.memories m
     where m.id > after_id and m.id <= last_id
       and m.agent_id is not null
       and not exists (select from archive.memory_agents k where k.memory_id = m.id and k.agent_id = m.agent_id)
       for key share of m
    on conflict (memory_id) do update set agent_id = excluded.agent_id
     where k.agent_id <> excluded.agent_id;

    -- A memory that changed its type since follows the type; an agent that went with its user is none.
    delete from archive.memory_agents k
     using public.memories m
     where m.id > after_id and m.id <= last_id
       and m.id = k.memory_id
       and (m.memory_type = 'user'
            or not exists (select from public.user_agents a where a.id = k.agent_id));

    insert into archive.memory_agents (memory_id, agent_id)
    select m.id, a.id
      from public.memories m
      join archive.user_agents a on a.user_id = m.user_id and a.agent_type = 'TASK_EXECUTION'
     where m.id > after_id and m.id <= last_id
       and m.memory_type = 'work'
       and not exists (select from archive.memory_agents k where k.memory_id = m.id)
       for key share of m;
    get diagnostics batch = row_count;
    given := given + batch;

    update public.memories m
       set agent_id = case m.memory_type when 'work' then k.agent_id end
      from public.memories w
      left join archive.memory_agents k on k.memory_id = w.id
     where w.id > after_id and w.id <= last_id
       and w.id = m.id
       and m.agent_id is distinct from case m.memory_type when 'work' then k.agent_id end;
    get diagnostics batch = row_count;
    commit;

    after_id := last_id;
    restored := restored + batch;
    if clock_timestamp() > told + interval '1 second' then
      raise info 'restored the agent_id of % memories', restored;
      told := clock_timestamp();
    end if;
  end loop;
  if given > 0 then
    raise info 'gave % work memories written since the TASK_EXECUTION agent of their owner', given;
  end if;
end;
$$;
--> statement-breakpoint

-- An index that was being built when its builder died is there, but of no use.
do $$
begin
  if exists (select from pg_catalog.pg_index
              where indexrelid = to_regclass('public.ix_memories_agent_type_status') and not indisvalid) then
    drop index public.ix_memories_agent_type_status;
  end if;
end;
$$;
--> statement-breakpoint

create index concurrently if not exists ix_memories_agent_type_status
    on public.memories (agent_id, memory_type, status);
--> statement-breakpoint

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.memories'::regclass and conname = 'chk_memory_type_agent_id') then
    ALTER TABLE "memories" ADD CONSTRAINT "chk_memory_type_agent_id" CHECK (("memory_type" = 'work' and "agent_id" is not null) or ("memory_type" = 'user' and "agent_id" is null)) NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

alter table public.memories validate constraint chk_memory_type_agent_id;
--> statement-breakpoint

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.memories'::regclass and conname = 'fk_memories_agent_id') then
    ALTER TABLE "memories" ADD CONSTRAINT "fk_memories_agent_id" FOREIGN KEY ("agent_id") REFERENCES "user_agents"("id") ON DELETE CASCADE NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

alter table public.memories validate constraint fk_memories_agent_id;
