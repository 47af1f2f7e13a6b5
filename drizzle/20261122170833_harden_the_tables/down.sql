-- Without the rules. Dropping the function takes its triggers along.
-- squawk-ignore-file require-concurrent-index-deletion -- dropped in a moment, under a short lock timeout

drop function public.keep_updated_at() cascade;
--> statement-breakpoint

ALTER TABLE "memories" DROP CONSTRAINT "chk_memories_memory_type";
--> statement-breakpoint

ALTER TABLE "profiles" DROP CONSTRAINT "chk_profiles_settings_agent_prompts";
--> statement-breakpoint

ALTER TABLE "profiles" ALTER COLUMN "settings" SET DEFAULT '{}';
--> statement-breakpoint

DROP INDEX "ix_system_agents_llm_id";
--> statement-breakpoint

DROP INDEX "ix_memories_user_id_memory_type_status";
