-- Contract, first part, written by drizzle-kit: nothing insists on agent_id any more, and nothing is dropped
-- that holds data. It is a step of its own for the way back, which fills the tables here.

ALTER TABLE "memories" DROP CONSTRAINT "fk_memories_agent_id";
--> statement-breakpoint

ALTER TABLE "memories" DROP CONSTRAINT "chk_memory_type_agent_id";
--> statement-breakpoint

DROP INDEX "ix_memories_agent_type_status";
