-- A sign-up makes a profile and nothing else, and the policies take the table's new name.

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

  return new;
end;
$$;
--> statement-breakpoint

ALTER POLICY "anon_select_user_agent_catalog" ON "public"."system_agents" RENAME TO "anon_select_system_agents";
--> statement-breakpoint

ALTER POLICY "anon_insert_user_agent_catalog" ON "public"."system_agents" RENAME TO "anon_insert_system_agents";
--> statement-breakpoint

ALTER POLICY "anon_update_user_agent_catalog" ON "public"."system_agents" RENAME TO "anon_update_system_agents";
--> statement-breakpoint

ALTER POLICY "anon_delete_user_agent_catalog" ON "public"."system_agents" RENAME TO "anon_delete_system_agents";
--> statement-breakpoint

ALTER POLICY "authenticated_select_user_agent_catalog" ON "public"."system_agents" RENAME TO "authenticated_select_system_agents";
--> statement-breakpoint

ALTER POLICY "authenticated_insert_user_agent_catalog" ON "public"."system_agents" RENAME TO "authenticated_insert_system_agents";
--> statement-breakpoint

ALTER POLICY "authenticated_update_user_agent_catalog" ON "public"."system_agents" RENAME TO "authenticated_update_system_agents";
--> statement-breakpoint

ALTER POLICY "authenticated_delete_user_agent_catalog" ON "public"."system_agents" RENAME TO "authenticated_delete_system_agents";
