-- Takes the tables away and with them what they hold: so not while a user owns a row in them.
-- Dropping the function takes its trigger along, on auth.users, which is not ours to alter.

drop function public.create_profile_for_new_user() cascade;
--> statement-breakpoint

lock table public.profiles, public.user_agents, public.memories in access exclusive mode;
--> statement-breakpoint

do $$
declare
  owned record;
begin
  for owned in
    select 'public.profiles' as name, count(*) as found from public.profiles
    union all
    select 'public.user_agents', count(*) from public.user_agents
    union all
    select 'public.memories', count(*) from public.memories
  loop
    if owned.found > 0 then
      raise exception '% holds % rows that belong to users', owned.name, owned.found
        using errcode = 'object_not_in_prerequisite_state',
              hint = 'Rolling back the first migration drops the tables. Export and delete these rows first.';
    end if;
  end loop;
end;
$$;
--> statement-breakpoint

drop table public.memories;
--> statement-breakpoint

drop table public.user_agents;
--> statement-breakpoint

drop table public.user_agent_catalog;
--> statement-breakpoint

drop table public.profiles;
--> statement-breakpoint

drop table public.llms;
