-- Gives agent_prompts to the profiles that lack them; online.sql has done most of it before.

do $$
declare
  replaced bigint;
begin
  select r.replaced into replaced from archive.add_agent_prompts() r;
  if replaced > 0 then
    raise info 'the settings of % profiles were no object: archive.profile_settings keeps them as they were', replaced;
  end if;
end;
$$;
