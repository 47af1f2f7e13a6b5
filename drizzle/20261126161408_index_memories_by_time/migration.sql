-- An index for what is asked most of memories: one user's, the newest first, a page at a time. drizzle-kit wrote the statement in
-- capitals.

-- Without its online script, or if that was not run, the index is built here only where it takes a moment.
do $$
begin
  if exists (select from pg_catalog.pg_index where indexrelid = to_regclass('public.ix_memories_user_id_created_at_id') and indisvalid) then
    return;
  end if;
  if pg_relation_size('public.memories') > 32 * 1024 * 1024 then
    raise exception 'public.ix_memories_user_id_created_at_id is missing, and building it in this transaction would block writers of public.memories'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Use agents-db, with three connections: it builds the index concurrently beforehand.';
  end if;
  drop index if exists public.ix_memories_user_id_created_at_id;
  CREATE INDEX "ix_memories_user_id_created_at_id" ON "public"."memories" ("user_id","created_at","id");
end;
$$;
