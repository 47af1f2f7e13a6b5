-- What down.sql does to settings, 250 profiles at a time and a commit after each.

do $$
declare
  after_id uuid := '00000000-0000-0000-0000-000000000000';
  last_id  uuid;
  restored bigint := 0;
  told     timestamptz := clock_timestamp();
begin
  loop
    perform set_config('lock_timeout', '100ms', true);
    select b.id into last_id
      from (select id from public.profiles where id > after_id order by id limit 250) as b
     order by b.id desc
     limit 1;
    exit when last_id is null;

    restored := restored + archive.restore_settings(after_id, last_id);
    commit;

    after_id := last_id;
    if clock_timestamp() > told + interval '1 second' then
      raise info 'restored the settings of % profiles', restored;
      told := clock_timestamp();
    end if;
  end loop;
end;
$$;
