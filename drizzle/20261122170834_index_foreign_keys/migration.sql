-- An index for every foreign key that lacks one, and for what is asked of memories. drizzle-kit wrote the statements in
-- capitals.
-- squawk-ignore-file require-concurrent-index-creation -- system_agents has a handful of rows

-- Without its online script, or if that was not run, an index is built here only where it takes a moment.
do $$
begin
  if exists (select from pg_catalog.pg_index where indexrelid = to_regclass('public.ix_memories_user_id_memory_type_status') and indisvalid) then
    return;
  end if;
  if pg_relation_size('public.memories') > 32 * 1024 * 1024 then
    raise exception 'public.ix_memories_user_id_memory_type_status is missing, and building it in this transaction would block writers of public.memories'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Use agents-db, with three connections: it builds the index concurrently beforehand.';
  end if;
  drop index if exists public.ix_memories_user_id_memory_type_status;
  CREATE INDEX "ix_memories_user_id_memory_type_status" ON "public"."memories" ("user_id","memory_type","status");
end;
$$;
--> statement-breakpoint

CREATE INDEX "ix_system_agents_llm_id" ON "public"."system_agents" ("llm_id");
