-- squawk-ignore-file ban-concurrent-index-creation-in-transaction -- this file runs outside of one

create index concurrently if not exists ix_memories_user_id_created_at_id
    on public.memories (user_id, created_at, id);
