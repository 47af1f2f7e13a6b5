-- Contract, first part, written by drizzle-kit: nothing insists on agent_id any more, and nothing is dropped
-- that holds data. It is a step of its own for the way back, which fills the tables here.
-- squawk-ignore-file require-concurrent-index-deletion -- dropped in a moment, under a short lock timeout

select archive.check_copies();
--> statement-breakpoint

-- And nothing in the archive that the tables have no more: it would come back on the way down.
do $$
declare
  apart bigint;
begin
  select count(*) into apart
    from archive.user_agents k
   where not exists (select from public.user_agents a where a.id = k.id);
  if apart > 0 then
    raise exception 'archive.user_agents: % rows are no longer in public.user_agents', apart
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Something wrote past the triggers. Roll back to secure_the_agent_tables and migrate again.';
  end if;

  select count(*) into apart
    from archive.memory_agents k
    join public.memories m on m.id = k.memory_id
   where m.agent_id is null;
  if apart > 0 then
    raise exception 'archive.memory_agents: % rows are of memories that have no agent_id', apart
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Something wrote past the triggers. Roll back to secure_the_agent_tables and migrate again.';
  end if;
end;
$$;
--> statement-breakpoint

ALTER TABLE "memories" DROP CONSTRAINT "fk_memories_agent_id";
--> statement-breakpoint

ALTER TABLE "memories" DROP CONSTRAINT "chk_memory_type_agent_id";
--> statement-breakpoint

DROP INDEX "ix_memories_agent_type_status";
