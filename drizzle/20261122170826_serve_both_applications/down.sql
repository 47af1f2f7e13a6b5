-- Back to the baseline: the tables hold everything, so the copies may go. System agents of a type that the old schema does
-- not know stay in archive until the next migration.
-- squawk-ignore-file ban-drop-table -- copies, of what the tables themselves hold

-- Changes nothing, but keeps sign-ups out until the commit. They lock auth.users before anything else, so we do too; and
-- not more strongly than this, because a client that writes a memory reads auth.users last.
create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.create_profile_for_new_user();
--> statement-breakpoint

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

-- Users who signed up since settings were restored have an agent_prompts, and only they are still listed here.
select archive.restore_settings(k.id, k.id) from archive.profiles k;
--> statement-breakpoint

drop view public.system_agents;
--> statement-breakpoint

do $$
declare
  moved bigint;
begin
  -- One of the same type may wait there already; the newer one counts.
  delete from archive.system_agents a
   using public.user_agent_catalog c
   where c.agent_type = a.agent_type;

  with gone as (
    delete from public.user_agent_catalog
     where agent_type not in ('INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING')
    returning *
  )
  insert into archive.system_agents (id, agent_type, llm_id, config, status, created_at, updated_at)
  select id, agent_type, llm_id, config, status, created_at, updated_at from gone;
  get diagnostics moved = row_count;
  if moved > 0 then
    raise info 'moved % system agents to archive.system_agents: the old schema does not know their types', moved;
  end if;
end;
$$;
--> statement-breakpoint

drop function archive.copy_user_agents(uuid, uuid), archive.copy_memory_agents(uuid, uuid), archive.delete_stale_copies(),
              archive.add_agent_prompts(uuid, uuid), archive.repair_settings(uuid, uuid),
              archive.restore_settings(uuid, uuid), archive.with_agent_prompts(jsonb),
              archive.add_new_users(uuid, uuid), archive.restore_user_agents(uuid, uuid),
              archive.restore_memory_agents(uuid, uuid), archive.assert_restorable(), archive.drop_copies();
--> statement-breakpoint

drop table archive.profile_settings, archive.profiles;
--> statement-breakpoint

-- Drops their triggers too.
drop function archive.copy_memory_agent(), archive.default_memory_agent() cascade;
--> statement-breakpoint

drop table archive.memory_agents;
--> statement-breakpoint

drop function archive.copy_user_agent(), archive.clear_user_agents() cascade;
--> statement-breakpoint

-- Last, because its keys lock auth.users for everybody.
drop table archive.user_agents;
--> statement-breakpoint

do $$
begin
  if not exists (select from archive.system_agents) then
    drop table archive.system_agents;
    if pg_has_role((select nspowner from pg_catalog.pg_namespace where nspname = 'archive'), 'usage') then
      drop schema archive;
    end if;
  end if;
end;
$$;
