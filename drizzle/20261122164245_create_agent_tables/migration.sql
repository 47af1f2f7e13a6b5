-- The five tables as the Alembic deployment left them, name for name. drizzle-kit wrote all of this
-- but the last part, which closes the tables and greets new users from the first commit on.

CREATE TABLE "public"."llms" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	"model_code" varchar(100) NOT NULL CONSTRAINT "uq_llms_model_code" UNIQUE,
	"provider" varchar(50) NOT NULL,
	"display_name" varchar(100) NOT NULL,
	"config" jsonb DEFAULT '{}' NOT NULL,
	"status" varchar(20) NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "public"."llms" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "public"."memories" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	"user_id" uuid NOT NULL,
	"agent_id" uuid,
	"memory_type" varchar(20) NOT NULL,
	"content" text NOT NULL,
	"status" varchar(20) NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "chk_memory_type_agent_id" CHECK (("memory_type" = 'work' and "agent_id" is not null) or ("memory_type" = 'user' and "agent_id" is null))
);
--> statement-breakpoint
ALTER TABLE "public"."memories" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "public"."profiles" (
	"id" uuid PRIMARY KEY,
	"username" text,
	"avatar_url" text,
	"bio" text,
	"settings" jsonb DEFAULT '{}' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "public"."profiles" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "public"."user_agent_catalog" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	"agent_type" varchar(20) NOT NULL CONSTRAINT "uq_user_agent_catalog_agent_type" UNIQUE,
	"llm_id" uuid NOT NULL,
	"config" jsonb DEFAULT '{}' NOT NULL,
	"status" varchar(20) NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "chk_user_agent_catalog_status" CHECK ("status" in ('active', 'inactive'))
);
--> statement-breakpoint
ALTER TABLE "public"."user_agent_catalog" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
ALTER TABLE "public"."user_agents" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE INDEX "ix_memories_agent_type_status" ON "public"."memories" ("agent_id","memory_type","status");--> statement-breakpoint
CREATE INDEX "ix_user_agents_agent_type" ON "public"."user_agents" ("agent_type");--> statement-breakpoint
CREATE INDEX "ix_user_agents_status" ON "public"."user_agents" ("status");--> statement-breakpoint
ALTER TABLE "public"."memories" ADD CONSTRAINT "fk_memories_user_id" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "public"."memories" ADD CONSTRAINT "fk_memories_agent_id" FOREIGN KEY ("agent_id") REFERENCES "public"."user_agents"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "public"."profiles" ADD CONSTRAINT "fk_profiles_id" FOREIGN KEY ("id") REFERENCES "auth"."users"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "public"."user_agent_catalog" ADD CONSTRAINT "fk_user_agent_catalog_llm_id" FOREIGN KEY ("llm_id") REFERENCES "public"."llms"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_user_id" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_llm_id" FOREIGN KEY ("llm_id") REFERENCES "public"."llms"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_created_by" FOREIGN KEY ("created_by") REFERENCES "auth"."users"("id") ON DELETE SET NULL;--> statement-breakpoint
ALTER TABLE "public"."user_agents" ADD CONSTRAINT "fk_user_agents_updated_by" FOREIGN KEY ("updated_by") REFERENCES "auth"."users"("id") ON DELETE SET NULL;--> statement-breakpoint
CREATE POLICY "anon_select_llms" ON "public"."llms" AS PERMISSIVE FOR SELECT TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "anon_insert_llms" ON "public"."llms" AS PERMISSIVE FOR INSERT TO "anon" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_update_llms" ON "public"."llms" AS PERMISSIVE FOR UPDATE TO "anon" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_delete_llms" ON "public"."llms" AS PERMISSIVE FOR DELETE TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_select_llms" ON "public"."llms" AS PERMISSIVE FOR SELECT TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_insert_llms" ON "public"."llms" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_update_llms" ON "public"."llms" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_delete_llms" ON "public"."llms" AS PERMISSIVE FOR DELETE TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "anon_select_memories" ON "public"."memories" AS PERMISSIVE FOR SELECT TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "anon_insert_memories" ON "public"."memories" AS PERMISSIVE FOR INSERT TO "anon" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_update_memories" ON "public"."memories" AS PERMISSIVE FOR UPDATE TO "anon" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_delete_memories" ON "public"."memories" AS PERMISSIVE FOR DELETE TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_select_memories" ON "public"."memories" AS PERMISSIVE FOR SELECT TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_insert_memories" ON "public"."memories" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_update_memories" ON "public"."memories" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_delete_memories" ON "public"."memories" AS PERMISSIVE FOR DELETE TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "anon_select_profiles" ON "public"."profiles" AS PERMISSIVE FOR SELECT TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "anon_insert_profiles" ON "public"."profiles" AS PERMISSIVE FOR INSERT TO "anon" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_update_profiles" ON "public"."profiles" AS PERMISSIVE FOR UPDATE TO "anon" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_delete_profiles" ON "public"."profiles" AS PERMISSIVE FOR DELETE TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_select_profiles" ON "public"."profiles" AS PERMISSIVE FOR SELECT TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_insert_profiles" ON "public"."profiles" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_update_profiles" ON "public"."profiles" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_delete_profiles" ON "public"."profiles" AS PERMISSIVE FOR DELETE TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "anon_select_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR SELECT TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "anon_insert_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR INSERT TO "anon" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_update_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR UPDATE TO "anon" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_delete_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR DELETE TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_select_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR SELECT TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_insert_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_update_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_delete_user_agent_catalog" ON "public"."user_agent_catalog" AS PERMISSIVE FOR DELETE TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "anon_select_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR SELECT TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "anon_insert_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR INSERT TO "anon" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_update_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR UPDATE TO "anon" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "anon_delete_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR DELETE TO "anon" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_select_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR SELECT TO "authenticated" USING (false);--> statement-breakpoint
CREATE POLICY "authenticated_insert_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR INSERT TO "authenticated" WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_update_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR UPDATE TO "authenticated" USING (false) WITH CHECK (false);--> statement-breakpoint
CREATE POLICY "authenticated_delete_user_agents" ON "public"."user_agents" AS PERMISSIVE FOR DELETE TO "authenticated" USING (false);--> statement-breakpoint

-- Row level security does not stop TRUNCATE, and older Supabase projects grant it on every new table.
revoke all on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  from public, anon, authenticated, service_role;
--> statement-breakpoint

create function public.create_profile_for_new_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.profiles (id, username, settings)
  values (
    new.id,
    coalesce(
      nullif(btrim(case jsonb_typeof(new.raw_user_meta_data -> 'username')
                     when 'string' then new.raw_user_meta_data ->> 'username'
                   end, e' \t\n\r\f\x0b'), ''),
      nullif(btrim(split_part(new.email, '@', 1), e' \t\n\r\f\x0b'), ''),
      'user_' || left(new.id::pg_catalog.text, 8)
    ),
    '{}'
  )
  on conflict (id) do nothing;

  -- Only the types that chk_agent_type knows: another one in the catalog must not stop a sign-up.
  insert into public.user_agents (id, user_id, llm_id, agent_type, config, status, created_by, updated_by)
  select gen_random_uuid(), new.id, c.llm_id, c.agent_type, c.config, c.status, new.id, new.id
    from public.user_agent_catalog c
   where c.agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING')
  on conflict (user_id, agent_type) do nothing;

  return new;
end;
$$;
--> statement-breakpoint

revoke all on function public.create_profile_for_new_user()
  from public, anon, authenticated, service_role;
--> statement-breakpoint

-- Not "or replace": a project may have a trigger of this name, as Supabase's own guide has.
create trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.create_profile_for_new_user();
