-- Every profile has agent_prompts from here on. drizzle-kit wrote the statements in capitals; online.sql may have done any of
-- it before.

-- The old application may have written settings without them since.
select archive.repair_settings();
--> statement-breakpoint

ALTER TABLE "public"."profiles" ALTER COLUMN "settings" SET DEFAULT '{"agent_prompts":{}}';
--> statement-breakpoint

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.profiles'::regclass and conname = 'chk_profiles_settings_agent_prompts') then
    ALTER TABLE "public"."profiles" ADD CONSTRAINT "chk_profiles_settings_agent_prompts" CHECK (coalesce(jsonb_typeof("settings" -> 'agent_prompts'), '') = 'object') NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

ALTER TABLE "public"."profiles" VALIDATE CONSTRAINT "chk_profiles_settings_agent_prompts";
