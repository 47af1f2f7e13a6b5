-- Brings user_agents and memories.agent_id back, still empty, and the catalog's old name. Undoing the previous migration
-- fills them from archive.
-- squawk-ignore-file renaming-table -- undoes a rename

-- Changes nothing, but keeps sign-ups out until the commit. They lock auth.users before anything else, so we do too; and
-- not more strongly than this, because a client that writes a memory reads auth.users last.
create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.create_profile_for_new_user();
--> statement-breakpoint

ALTER TABLE "public"."system_agents" RENAME TO "user_agent_catalog";
--> statement-breakpoint

ALTER TABLE "public"."user_agent_catalog" RENAME CONSTRAINT "chk_system_agents_status" TO "chk_user_agent_catalog_status";
--> statement-breakpoint

ALTER TABLE "public"."user_agent_catalog" RENAME CONSTRAINT "fk_system_agents_llm_id" TO "fk_user_agent_catalog_llm_id";
--> statement-breakpoint

ALTER TABLE "public"."user_agent_catalog" RENAME CONSTRAINT "system_agents_pkey" TO "user_agent_catalog_pkey";
--> statement-breakpoint

ALTER TABLE "public"."user_agent_catalog" RENAME CONSTRAINT "uq_system_agents_agent_type" TO "uq_user_agent_catalog_agent_type";
--> statement-breakpoint

-- From PostgreSQL 18 on, not-null constraints have names too.
do $$
declare
  called record;
begin
  for called in
    select conname as old, replace(conname, 'system_agents', 'user_agent_catalog') as new
      from pg_catalog.pg_constraint
     where conrelid = 'public.user_agent_catalog'::regclass and contype = 'n' and starts_with(conname, 'system_agents_')
  loop
    execute format('alter table public.user_agent_catalog rename constraint %I to %I', called.old, called.new);
  end loop;
end;
$$;
--> statement-breakpoint

CREATE TABLE "public"."user_agents" (
	"id" uuid PRIMARY KEY,
	"user_id" uuid NOT NULL,
	"llm_id" uuid NOT NULL,
	"agent_type" varchar(20) NOT NULL,
	"config" jsonb DEFAULT '{}' NOT NULL,
	"status" varchar(20) NOT NULL,
	"created_by" uuid,
	"updated_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "uq_user_agents_user_id_agent_type" UNIQUE("user_id","agent_type"),
	CONSTRAINT "chk_agent_type" CHECK ("agent_type" in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING'))
);
--> statement-breakpoint

ALTER TABLE "public"."user_agents" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint

CREATE POLICY "anon_select_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR SELECT TO "anon" USING (false);
--> statement-breakpoint

CREATE POLICY "anon_insert_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR INSERT TO "anon" WITH CHECK (false);
--> statement-breakpoint

CREATE POLICY "anon_update_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR UPDATE TO "anon" USING (false) WITH CHECK (false);
--> statement-breakpoint

CREATE POLICY "anon_delete_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR DELETE TO "anon" USING (false);
--> statement-breakpoint

CREATE POLICY "authenticated_select_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR SELECT TO "authenticated" USING (false);
--> statement-breakpoint

CREATE POLICY "authenticated_insert_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (false);
--> statement-breakpoint

CREATE POLICY "authenticated_update_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (false) WITH CHECK (false);
--> statement-breakpoint

CREATE POLICY "authenticated_delete_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR DELETE TO "authenticated" USING (false);
--> statement-breakpoint

revoke all on public.user_agents from public, anon, authenticated, service_role;
--> statement-breakpoint

grant select, insert, update, delete on public.user_agents to service_role;
--> statement-breakpoint

CREATE INDEX "ix_user_agents_agent_type" ON "public"."user_agents" ("agent_type");
--> statement-breakpoint

CREATE INDEX "ix_user_agents_status" ON "public"."user_agents" ("status");
--> statement-breakpoint

ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_user_id" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE CASCADE;
--> statement-breakpoint

ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_llm_id" FOREIGN KEY ("llm_id") REFERENCES "public"."llms"("id") ON DELETE RESTRICT;
--> statement-breakpoint

ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_created_by" FOREIGN KEY ("created_by") REFERENCES "auth"."users"("id") ON DELETE SET NULL;
--> statement-breakpoint

ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_updated_by" FOREIGN KEY ("updated_by") REFERENCES "auth"."users"("id") ON DELETE SET NULL;
--> statement-breakpoint

ALTER TABLE "public"."memories" ADD COLUMN "agent_id" uuid;
--> statement-breakpoint

-- Keeps the copy of a row of user_agents current.
create function archive.copy_user_agent()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- A client at repeatable read cannot see a row that was copied after its snapshot. It must fail here (40001), rather
  -- than leave the copy as it was. Where a user is deleted, the keys of the copy see to that.
  if tg_op <> 'INSERT' and current_setting('transaction_isolation') <> 'read committed' and pg_trigger_depth() = 1 then
    insert into archive.user_agents
           (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at,
            deleted_at)
    values (old.id, old.user_id, old.llm_id, old.agent_type, old.config, old.status, old.created_by,
            old.updated_by, old.created_at, old.updated_at, old.deleted_at)
    on conflict do nothing;
  end if;

  if tg_op = 'DELETE' then
    delete from archive.user_agents where id = old.id;
  elsif tg_op = 'UPDATE' then
    -- A user who is deleted leaves both tables by their own keys, one column at a time: none is put back here.
    update archive.user_agents k
       set (id, user_id, llm_id, agent_type, config, status, created_by, updated_by,
            created_at, updated_at, deleted_at)
         = (new.id, new.user_id, new.llm_id, new.agent_type, new.config, new.status,
            case when new.created_by is distinct from old.created_by then new.created_by else k.created_by end,
            case when new.updated_by is distinct from old.updated_by then new.updated_by else k.updated_by end,
            new.created_at, new.updated_at, new.deleted_at)
     where k.id = old.id;
  else
    insert into archive.user_agents
           (id, user_id, llm_id, agent_type, config, status, created_by, updated_by, created_at, updated_at,
            deleted_at)
    values (new.id, new.user_id, new.llm_id, new.agent_type, new.config, new.status, new.created_by,
            new.updated_by, new.created_at, new.updated_at, new.deleted_at)
    on conflict (id) do nothing;
  end if;
  return null;
end;
$$;
--> statement-breakpoint

create function archive.clear_user_agents()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from archive.user_agents;
  return null;
end;
$$;
--> statement-breakpoint

-- Keeps the copy of a memory's agent_id current. Writes only what is not there yet, as when a memory gets back the agent
-- that the archive kept for it. If the memory's id changes, the key of the copy follows.
create function archive.copy_memory_agent()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and new.agent_id is not distinct from old.agent_id then
    return null;
  end if;
  if new.agent_id is not null then
    insert into archive.memory_agents as k (memory_id, agent_id)
    values (new.id, new.agent_id)
    on conflict (memory_id) do update set agent_id = excluded.agent_id
     where k.agent_id <> excluded.agent_id;
  elsif tg_op = 'UPDATE' then
    -- For clients at repeatable read, as in copy_user_agent.
    insert into archive.memory_agents (memory_id, agent_id) values (new.id, old.agent_id) on conflict do nothing;
    delete from archive.memory_agents where memory_id = new.id;
  end if;
  return null;
end;
$$;
--> statement-breakpoint

-- The new application knows no agent_id; chk_memory_type_agent_id requires one where the type is 'work'.
create function archive.default_memory_agent()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.memory_type = 'work' and new.agent_id is null then
    select a.id
      into new.agent_id
      from public.user_agents a
     where a.user_id = new.user_id
       and a.agent_type = 'TASK_EXECUTION';
  elsif tg_op = 'UPDATE' and new.memory_type = 'user' and old.memory_type = 'work' then
    new.agent_id := null;
  end if;
  return new;
end;
$$;
--> statement-breakpoint

revoke all on all functions in schema archive from public, anon, authenticated, service_role;
--> statement-breakpoint

create trigger copy_user_agent
  after insert or update or delete on public.user_agents
  for each row execute function archive.copy_user_agent();
--> statement-breakpoint

create trigger clear_user_agents
  after truncate on public.user_agents
  for each statement execute function archive.clear_user_agents();
--> statement-breakpoint

create trigger default_memory_agent
  before insert or update of memory_type on public.memories
  for each row execute function archive.default_memory_agent();
--> statement-breakpoint

create trigger copy_memory_agent
  after insert or update on public.memories
  for each row execute function archive.copy_memory_agent();
--> statement-breakpoint

-- The new name, readable and writable as the table itself, under the caller's own rights.
create view public.system_agents with (security_invoker = true) as
select id, agent_type, llm_id, config, status, created_at, updated_at
  from public.user_agent_catalog;
--> statement-breakpoint

revoke all on public.system_agents from public, anon, authenticated, service_role;
--> statement-breakpoint

grant select, insert, update, delete on public.system_agents to service_role;
