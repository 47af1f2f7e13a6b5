-- Brings the rows back from archive, and every agent_id. Stops, with nothing changed, where one cannot be brought back.
-- down.online.sql may have done any of it before.

do $$
declare
  users     bigint := archive.add_new_users();
  agents    bigint := archive.restore_user_agents();
  given     bigint := archive.restore_memory_agents();
  remaining bigint;
begin
  if users > 0 then
    raise info 'gave % users who signed up since their agents from the catalog', users;
  end if;
  if given > 0 then
    raise info 'gave % work memories written since the TASK_EXECUTION agent of their owner', given;
  end if;

  select count(*) into remaining
    from public.memories m
   where m.memory_type = 'work' and m.agent_id is null;
  if remaining > 0 then
    raise exception 'public.memories: % work memories belong to users without a TASK_EXECUTION agent', remaining
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The old schema requires an agent for each. Set their memory_type to user, or move them elsewhere.';
  end if;
end;
$$;
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

ALTER TABLE "public"."memories" VALIDATE CONSTRAINT "chk_memory_type_agent_id";
--> statement-breakpoint

-- Without its online script, or if that was not run, an index is built here only where it takes a moment.
do $$
begin
  if exists (select from pg_catalog.pg_index where indexrelid = to_regclass('public.ix_memories_agent_type_status') and indisvalid) then
    return;
  end if;
  if pg_relation_size('public.memories') > 32 * 1024 * 1024 then
    raise exception 'public.ix_memories_agent_type_status is missing, and building it in this transaction would block writers of public.memories'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Use agents-db, with two connections or more: it builds the index concurrently beforehand.';
  end if;
  drop index if exists public.ix_memories_agent_type_status;
  CREATE INDEX "ix_memories_agent_type_status" ON "public"."memories" ("agent_id","memory_type","status");
end;
$$;
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

ALTER TABLE "public"."memories" VALIDATE CONSTRAINT "fk_memories_agent_id";
