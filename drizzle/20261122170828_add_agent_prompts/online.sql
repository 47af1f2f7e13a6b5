-- What migration.sql does, in batches.

-- @batches public.profiles by id
select repaired as "profiles given agent_prompts",
       replaced as "settings that were no object, kept in archive.profile_settings"
  from archive.add_agent_prompts($1, $2);
