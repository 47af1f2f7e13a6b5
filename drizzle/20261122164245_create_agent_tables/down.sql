-- Drops the tables with what they hold, so not while a user owns a row in them. Dropping the function drops its trigger on
-- auth.users too, a table that is not ours to alter.
-- squawk-ignore-file ban-drop-table -- undoing this migration is dropping them

drop function public.create_profile_for_new_user() cascade;
--> statement-breakpoint

lock table public.profiles, public.user_agents, public.memories in access exclusive mode;
--> statement-breakpoint

-- Again, now that nobody can add to them.
do $$
declare
  owned text;
  found bigint;
begin
  foreach owned in array array['public.profiles', 'public.memories', 'public.user_agents'] loop
    if to_regclass(owned) is not null then
      execute format('select count(*) from %s', owned) into found;
      if found > 0 then
        raise exception '% holds % rows that belong to users', owned, found
          using errcode = 'object_not_in_prerequisite_state',
                hint = 'Rolling back the first migration drops the tables. Export and delete these rows first.';
      end if;
    end if;
  end loop;
end;
$$;
--> statement-breakpoint

-- System agents that an earlier rollback moved to archive go too.
drop table if exists archive.system_agents;
--> statement-breakpoint

do $$
begin
  if obj_description(to_regnamespace('archive'), 'pg_namespace') = 'Rows that @agents/db keeps for a rollback.' then
    drop schema archive;
  end if;
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
