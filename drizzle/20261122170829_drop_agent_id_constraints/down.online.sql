-- What down.sql does, with writers going on meanwhile: rows in batches, the index concurrently, the constraints for new rows
-- first. It may be run again at any point.
-- squawk-ignore-file ban-concurrent-index-creation-in-transaction -- this file runs outside of one

-- @batches public.profiles by id
select archive.add_new_users($1, $2) as "users who signed up since, given agents from the catalog";
--> statement-breakpoint

-- @batches archive.user_agents by id
select archive.restore_user_agents($1, $2) as "rows of user_agents restored";
--> statement-breakpoint

-- @batches public.memories by id
select archive.restore_memory_agents($1, $2) as "work memories given the TASK_EXECUTION agent of their owner";
--> statement-breakpoint

create index concurrently if not exists ix_memories_agent_type_status
    on public.memories (agent_id, memory_type, status);
--> statement-breakpoint

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.memories'::regclass and conname = 'chk_memory_type_agent_id') then
    ALTER TABLE "public"."memories" ADD CONSTRAINT "chk_memory_type_agent_id" CHECK (("memory_type" = 'work' and "agent_id" is not null) or ("memory_type" = 'user' and "agent_id" is null)) NOT VALID;
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
    ALTER TABLE "public"."memories" ADD CONSTRAINT "fk_memories_agent_id" FOREIGN KEY ("agent_id") REFERENCES "public"."user_agents"("id") ON DELETE CASCADE NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

alter table public.memories validate constraint fk_memories_agent_id;
