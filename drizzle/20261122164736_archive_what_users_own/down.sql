-- Back to the baseline: the tables hold everything again, so the copy may go. Settings become what they
-- were; system agents of a type that the old schema does not know wait in archive for the next way up.

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
                   end, e' \t\n\r\f\v'), ''),
      nullif(btrim(split_part(new.email, '@', 1), e' \t\n\r\f\v'), ''),
      'user_' || left(new.id::text, 8)
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

-- Changes nothing, but keeps sign-ups out until the commit: they lock auth.users first, so we do too.
create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.create_profile_for_new_user();
--> statement-breakpoint

drop view public.system_agents;
--> statement-breakpoint

drop function archive.keep_user_agent(), archive.keep_no_user_agent(),
              archive.keep_memory_agent(), archive.fill_memory_agent() cascade;
--> statement-breakpoint

update public.profiles p
   set settings = was.settings
  from (
    select p.id,
           case
             when s.settings is null
               then p.settings - 'agent_prompts'
             when jsonb_typeof(s.settings) <> 'object' and p.settings = '{"agent_prompts": {}}'
               then s.settings
             when jsonb_typeof(s.settings) <> 'object'
               then p.settings - 'agent_prompts'
             when jsonb_typeof(s.settings -> 'agent_prompts') <> 'object'
               then p.settings || jsonb_build_object('agent_prompts', s.settings -> 'agent_prompts')
             else p.settings
           end as settings
      from public.profiles p
      left join archive.profile_settings s on s.profile_id = p.id
     where p.settings -> 'agent_prompts' = '{}'
  ) was
 where p.id = was.id
   and p.settings <> was.settings;
--> statement-breakpoint

do $$
declare
  parked bigint;
begin
  with gone as (
    delete from public.user_agent_catalog
     where agent_type not in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING')
    returning *
  )
  insert into archive.system_agents (id, agent_type, llm_id, config, status, created_at, updated_at)
  select id, agent_type, llm_id, config, status, created_at, updated_at from gone;
  get diagnostics parked = row_count;
  if parked > 0 then
    raise info 'moved % system agents to archive.system_agents: the old schema does not know their types', parked;
  end if;
end;
$$;
--> statement-breakpoint

drop function archive.repair_settings(uuid, uuid);
--> statement-breakpoint

drop table archive.user_agents, archive.memory_agents, archive.profile_settings, archive.profiles;
--> statement-breakpoint

do $$
begin
  if not exists (select from archive.system_agents) then
    drop table archive.system_agents;
    drop schema archive;
  end if;
end;
$$;
