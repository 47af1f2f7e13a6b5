-- The check holds for new rows first, and is validated for the others afterwards, so that writers go on meanwhile.

do $$
begin
  if not exists (select from pg_catalog.pg_constraint
                  where conrelid = 'public.profiles'::regclass and conname = 'chk_profiles_settings_agent_prompts') then
    ALTER TABLE "public"."profiles" ADD CONSTRAINT "chk_profiles_settings_agent_prompts" CHECK (coalesce(jsonb_typeof("settings" -> 'agent_prompts'), '') = 'object') NOT VALID;
  end if;
end;
$$;
--> statement-breakpoint

-- @batches public.profiles by id
select repaired as "profiles given agent_prompts",
       replaced as "settings that were no object, kept in archive.profile_settings"
  from archive.repair_settings($1, $2);
--> statement-breakpoint

alter table public.profiles validate constraint chk_profiles_settings_agent_prompts;
