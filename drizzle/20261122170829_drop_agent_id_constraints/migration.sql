-- Contract, first part, written by drizzle-kit: nothing requires agent_id any more, and nothing is dropped that holds data.
-- It is a migration of its own for the rollback, which fills the tables here.
-- squawk-ignore-file require-concurrent-index-deletion -- dropped in a moment, under a short lock timeout

-- What was written past the triggers is copied again.
do $$
declare
  stale  bigint := archive.delete_stale_copies();
  copied bigint := archive.copy_user_agents() + archive.copy_memory_agents();
begin
  if stale + copied > 0 then
    raise info 'copied % rows to archive again, and deleted % copies: something had written past the triggers', copied, stale;
  end if;
end;
$$;
--> statement-breakpoint

ALTER TABLE "public"."memories" DROP CONSTRAINT "fk_memories_agent_id";
--> statement-breakpoint

ALTER TABLE "public"."memories" DROP CONSTRAINT "chk_memory_type_agent_id";
--> statement-breakpoint

DROP INDEX "public"."ix_memories_agent_type_status";
