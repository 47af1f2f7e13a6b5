ALTER TABLE "public"."memories" DROP CONSTRAINT "chk_memories_memory_type";
