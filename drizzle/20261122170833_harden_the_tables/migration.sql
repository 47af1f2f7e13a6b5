-- The rules that the plan left out, an index for every foreign key, and updated_at kept by the database.
-- drizzle-kit wrote the statements in capitals; around them, each may find its work already done.

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

select archive.repair_settings();
--> statement-breakpoint

-- An index that was being built when its builder died is there, but of no use.
do $$
begin
  if exists (select from pg_catalog.pg_index
              where indexrelid = to_regclass('public.ix_memories_user_id_memory_type_status') and not indisvalid) then
    drop index public.ix_memories_user_id_memory_type_status;
  end if;
  if to_regclass('public.ix_memories_user_id_memory_type_status') is null then
    CREATE INDEX "ix_memories_user_id_memory_type_status" ON "memories" ("user_id","memory_type","status");
  end if;
end;
$$;
--> statement-breakpoint

do $$
begin
  if exists (select from pg_catalog.pg_index
              where indexrelid = to_regclass('public.ix_system_agents_llm_id') and not indisvalid) then
    drop index public.ix_system_agents_llm_id;
  end if;
  if to_regclass('public.ix_system_agents_llm_id') is null then
    CREATE INDEX "ix_system_agents_llm_id" ON "system_agents" ("llm_id");
  end if;
end;
$$;
--> statement-breakpoint

ALTER TABLE "profiles" ALTER COLUMN "settings" SET DEFAULT '{"agent_prompts":{}}';
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

ALTER TABLE "profiles" VALIDATE CONSTRAINT "chk_profiles_settings_agent_prompts";
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

ALTER TABLE "memories" VALIDATE CONSTRAINT "chk_memories_memory_type";
--> statement-breakpoint

-- updated_at is the database's alone: an update that changes nothing else leaves it, whatever it says.
create function public.keep_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := old.updated_at;
  if new is distinct from old then
    new.updated_at := now();
  end if;
  return new;
end;
$$;
--> statement-breakpoint

revoke all on function public.keep_updated_at() from public, anon, authenticated, service_role;
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.llms
  for each row execute function public.keep_updated_at();
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.memories
  for each row execute function public.keep_updated_at();
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.profiles
  for each row execute function public.keep_updated_at();
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.system_agents
  for each row execute function public.keep_updated_at();
