-- squawk-ignore-file ban-concurrent-index-creation-in-transaction -- this file runs outside of one

create index concurrently if not exists ix_memories_user_id_memory_type_status
    on public.memories (user_id, memory_type, status);
