-- squawk-ignore-file require-concurrent-index-deletion -- dropped in a moment, under a short lock timeout

DROP INDEX "public"."ix_memories_user_id_created_at_id";
