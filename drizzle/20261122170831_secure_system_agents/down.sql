-- The old names of the policies, and the trigger that serves both applications.

ALTER POLICY "anon_select_system_agents" ON "public"."system_agents" RENAME TO "anon_select_user_agent_catalog";
--> statement-breakpoint

ALTER POLICY "anon_insert_system_agents" ON "public"."system_agents" RENAME TO "anon_insert_user_agent_catalog";
--> statement-breakpoint

ALTER POLICY "anon_update_system_agents" ON "public"."system_agents" RENAME TO "anon_update_user_agent_catalog";
--> statement-breakpoint

ALTER POLICY "anon_delete_system_agents" ON "public"."system_agents" RENAME TO "anon_delete_user_agent_catalog";
--> statement-breakpoint

ALTER POLICY "authenticated_select_system_agents" ON "public"."system_agents" RENAME TO "authenticated_select_user_agent_catalog";
--> statement-breakpoint

ALTER POLICY "authenticated_insert_system_agents" ON "public"."system_agents" RENAME TO "authenticated_insert_user_agent_catalog";
--> statement-breakpoint

ALTER POLICY "authenticated_update_system_agents" ON "public"."system_agents" RENAME TO "authenticated_update_user_agent_catalog";
--> statement-breakpoint

ALTER POLICY "authenticated_delete_system_agents" ON "public"."system_agents" RENAME TO "authenticated_delete_user_agent_catalog";
--> statement-breakpoint

-- A profile with agent_prompts, for the new application; agents from the catalog, for the old one, as long as their table
-- exists.
create or replace function public.create_profile_for_new_user()
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
    '{"agent_prompts": {}}'
  )
  on conflict (id) do nothing;

  if to_regclass('public.user_agents') is not null then
    insert into archive.profiles (id) values (new.id) on conflict (id) do nothing;

    insert into public.user_agents (id, user_id, llm_id, agent_type, config, status, created_by, updated_by)
    select gen_random_uuid(), new.id, c.llm_id, c.agent_type, c.config, c.status, new.id, new.id
      from public.user_agent_catalog c
     where c.agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING')
    on conflict (user_id, agent_type) do nothing;
  end if;

  return new;
end;
$$;
