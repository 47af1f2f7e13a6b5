-- squawk-ignore-file require-concurrent-index-deletion -- dropped in a moment, under a short lock timeout

DROP INDEX "public"."ix_system_agents_llm_id";
--> statement-breakpoint

DROP INDEX "public"."ix_memories_user_id_memory_type_status";
