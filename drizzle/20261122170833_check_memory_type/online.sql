-- The check holds for new rows first, and is validated for the others afterwards, so that writers go on meanwhile.

do $$
declare
  unknown bigint;
begin
  select count(*) into unknown from public.memories m where m.memory_type not in ('work', 'user');
  if unknown > 0 then
    raise exception 'public.memories: % rows have a memory_type other than work and user', unknown
      using errcode = 'check_violation', hint = 'Set one of the two on these rows.';
  end if;
end;
$$;
--> statement-breakpoint

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.memories'::regclass and conname = 'chk_memories_memory_type') then
    ALTER TABLE "public"."memories" ADD CONSTRAINT "chk_memories_memory_type" CHECK ("memory_type" in ('work', 'user')) NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

alter table public.memories validate constraint chk_memories_memory_type;
