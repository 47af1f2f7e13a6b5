-- Brings the rows back from archive, and every agent_id. Stops, with nothing changed, where one cannot be
-- brought back. Each statement may find its work done by down.online.sql.

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

insert into public.user_agents
       (id, user_id, llm_id, agent_type, config, status,
        created_by, updated_by, created_at, updated_at, deleted_at)
select a.id, a.user_id, a.llm_id, a.agent_type, a.config, a.status,
       a.created_by, a.updated_by, a.created_at, a.updated_at, a.deleted_at
  from archive.user_agents a
 where not exists (select from public.user_agents p where p.id = a.id);
--> statement-breakpoint

-- What a memory says itself goes before what was kept of it.
insert into archive.memory_agents as k (memory_id, agent_id)
select m.id, m.agent_id
  from public.memories m
 where m.agent_id is not null
   and not exists (select from archive.memory_agents k where k.memory_id = m.id and k.agent_id = m.agent_id)
   for key share of m
on conflict (memory_id) do update set agent_id = excluded.agent_id
 where k.agent_id <> excluded.agent_id;
--> statement-breakpoint

-- A memory that changed its type since follows the type; an agent that went with its user is none.
delete from archive.memory_agents k
 using public.memories m
 where m.id = k.memory_id
   and (m.memory_type = 'user'
        or not exists (select from public.user_agents a where a.id = k.agent_id));
--> statement-breakpoint

do $$
declare
  given bigint;
  left_over bigint;
begin
  insert into archive.memory_agents (memory_id, agent_id)
  select m.id, a.id
    from public.memories m
    join archive.user_agents a on a.user_id = m.user_id and a.agent_type = 'TASK_EXECUTION'
   where m.memory_type = 'work'
     and not exists (select from archive.memory_agents k where k.memory_id = m.id)
     for key share of m;
  get diagnostics given = row_count;
  if given > 0 then
    raise info 'gave % work memories written since the TASK_EXECUTION agent of their owner', given;
  end if;

  select count(*) into left_over
    from public.memories m
   where m.memory_type = 'work'
     and not exists (select from archive.memory_agents k where k.memory_id = m.id);
  if left_over > 0 then
    raise exception 'public.memories: % work memories belong to users without a TASK_EXECUTION agent', left_over
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The old schema wants an agent on each. Set their memory_type to user, or move them elsewhere.';
  end if;
end;
$$;
--> statement-breakpoint

update public.memories m
   set agent_id = case m.memory_type when 'work' then k.agent_id end
  from public.memories w
  left join archive.memory_agents k on k.memory_id = w.id
 where w.id = m.id
   and m.agent_id is distinct from case m.memory_type when 'work' then k.agent_id end;
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

ALTER TABLE "memories" VALIDATE CONSTRAINT "chk_memory_type_agent_id";
--> statement-breakpoint

-- An index that was being built when its builder died is there, but of no use.
do $$
begin
  if exists (select from pg_catalog.pg_index
              where indexrelid = to_regclass('public.ix_memories_agent_type_status') and not indisvalid) then
    drop index public.ix_memories_agent_type_status;
  end if;
  if to_regclass('public.ix_memories_agent_type_status') is null then
    CREATE INDEX "ix_memories_agent_type_status" ON "memories" ("agent_id","memory_type","status");
  end if;
end;
$$;
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

ALTER TABLE "memories" VALIDATE CONSTRAINT "fk_memories_agent_id";
