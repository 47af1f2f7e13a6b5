-- The slow parts of migration.sql, so that writers go on meanwhile: indexes are built concurrently, and checks
-- hold for new rows first and are proven for the old ones afterwards.
-- squawk-ignore-file ban-concurrent-index-creation-in-transaction -- this file runs outside of one

do $$
declare
  unknown bigint;
begin
  select count(*) into unknown from public.memories m where m.memory_type not in ('work', 'user');
  if unknown > 0 then
    raise exception 'public.memories: % rows have a memory_type other than work and user', unknown
      using errcode = 'check_violation', hint = 'Set one of the two on these rows.';
  end if;
end;
$$;
--> statement-breakpoint

-- An index that was being built when its builder died is there, but of no use.
do $$
begin
  if exists (select from pg_catalog.pg_index
              where indexrelid = to_regclass('public.ix_memories_user_id_memory_type_status') and not indisvalid) then
    drop index public.ix_memories_user_id_memory_type_status;
  end if;
end;
$$;
--> statement-breakpoint

create index concurrently if not exists ix_memories_user_id_memory_type_status
    on public.memories (user_id, memory_type, status);
--> statement-breakpoint

do $$
begin
  if exists (select from pg_catalog.pg_index
              where indexrelid = to_regclass('public.ix_system_agents_llm_id') and not indisvalid) then
    drop index public.ix_system_agents_llm_id;
  end if;
end;
$$;
--> statement-breakpoint

create index concurrently if not exists ix_system_agents_llm_id on public.system_agents (llm_id);
--> statement-breakpoint

select archive.repair_settings();
--> statement-breakpoint

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.profiles'::regclass and conname = 'chk_profiles_settings_agent_prompts') then
    ALTER TABLE "profiles" ADD CONSTRAINT "chk_profiles_settings_agent_prompts" CHECK (coalesce(jsonb_typeof("settings" -> 'agent_prompts'), '') = 'object') NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

select archive.repair_settings();
--> statement-breakpoint

alter table public.profiles validate constraint chk_profiles_settings_agent_prompts;
--> statement-breakpoint

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.memories'::regclass and conname = 'chk_memories_memory_type') then
    ALTER TABLE "memories" ADD CONSTRAINT "chk_memories_memory_type" CHECK ("memory_type" in ('work', 'user')) NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

alter table public.memories validate constraint chk_memories_memory_type;
