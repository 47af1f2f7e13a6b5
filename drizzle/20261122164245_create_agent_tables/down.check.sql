-- Dropping the tables would lose what users own. This runs before a rollback begins, wherever it begins, and again as part
-- of undoing this migration.

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
