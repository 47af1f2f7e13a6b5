-- Contract, second part. The catalog takes its new name; user_agents and memories.agent_id are dropped, and their rows are in
-- archive. drizzle-kit wrote the statements in capitals. Its DROP POLICY are left out: DROP TABLE includes them.
-- squawk-ignore-file ban-drop-table, ban-drop-column, renaming-table -- the contract step; the old application is gone

-- Copies whatever was written past the triggers in the meantime.
select archive.copy_user_agents(), archive.copy_memory_agents();
--> statement-breakpoint

-- Changes nothing, but keeps sign-ups out until the commit. They lock auth.users before anything else, so we do too; and
-- not more strongly than this, because a client that writes a memory reads auth.users last.
create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.create_profile_for_new_user();
--> statement-breakpoint

-- Drops their triggers on memories too.
drop function archive.default_memory_agent(), archive.copy_memory_agent() cascade;
--> statement-breakpoint

ALTER TABLE "public"."memories" DROP COLUMN "agent_id";
--> statement-breakpoint

drop view public.system_agents;
--> statement-breakpoint

ALTER TABLE "public"."user_agent_catalog" RENAME TO "system_agents";
--> statement-breakpoint

ALTER TABLE "public"."system_agents" RENAME CONSTRAINT "chk_user_agent_catalog_status" TO "chk_system_agents_status";
--> statement-breakpoint

ALTER TABLE "public"."system_agents" RENAME CONSTRAINT "fk_user_agent_catalog_llm_id" TO "fk_system_agents_llm_id";
--> statement-breakpoint

ALTER TABLE "public"."system_agents" RENAME CONSTRAINT "user_agent_catalog_pkey" TO "system_agents_pkey";
--> statement-breakpoint

ALTER TABLE "public"."system_agents" RENAME CONSTRAINT "uq_user_agent_catalog_agent_type" TO "uq_system_agents_agent_type";
--> statement-breakpoint

-- From PostgreSQL 18 on, not-null constraints have names too.
do $$
declare
  called record;
begin
  for called in
    select conname as old, replace(conname, 'user_agent_catalog', 'system_agents') as new
      from pg_catalog.pg_constraint
     where conrelid = 'public.system_agents'::regclass and contype = 'n' and starts_with(conname, 'user_agent_catalog_')
  loop
    execute format('alter table public.system_agents rename constraint %I to %I', called.old, called.new);
  end loop;
end;
$$;
--> statement-breakpoint

-- Last, because its keys lock auth.users and llms for everybody.
DROP TABLE "public"."user_agents";
--> statement-breakpoint

drop function archive.copy_user_agent(), archive.clear_user_agents();
