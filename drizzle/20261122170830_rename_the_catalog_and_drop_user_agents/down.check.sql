-- What would keep the rows from coming back. Looked at before a rollback begins, wherever it begins, and again
-- as part of this step.

do $$
begin
  if to_regclass('archive.user_agents') is null or to_regclass('archive.memory_agents') is null then
    raise exception 'archive.user_agents: the rows kept for the way back are gone'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The archive was dropped. From here the only way is a backup.';
  end if;
end;
$$;
--> statement-breakpoint

do $$
declare
  lost bigint;
begin
  select count(*) into lost
    from archive.user_agents a
   where not exists (select from public.llms l where l.id = a.llm_id);
  if lost > 0 then
    raise exception 'archive.user_agents: % rows need a model that is no longer in public.llms', lost
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Bring the models back under their ids, or set another llm_id on these rows.';
  end if;

  select count(*) into lost from public.memories m where m.memory_type not in ('work', 'user');
  if lost > 0 then
    raise exception 'public.memories: % rows have a memory_type that the old schema does not know', lost
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'It knows work and user. Set one of them on these rows.';
  end if;

  select count(*) into lost
    from public.memories m
   where m.memory_type = 'work'
     and not exists (select from archive.memory_agents k where k.memory_id = m.id)
     and not exists (select from archive.user_agents a
                      where a.user_id = m.user_id and a.agent_type = 'TASK_EXECUTION')
     -- Who signed up since the drop will receive theirs from the catalog.
     and (exists (select from archive.profiles k where k.id = m.user_id)
          or exists (select from archive.user_agents a where a.user_id = m.user_id)
          or not exists (select from public.profiles p where p.id = m.user_id)
          or not exists (select from public.system_agents c where c.agent_type = 'TASK_EXECUTION'));
  if lost > 0 then
    raise exception 'public.memories: % work memories belong to users without a TASK_EXECUTION agent', lost
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The old schema wants an agent on each. Set their memory_type to user, or move them elsewhere.';
  end if;
end;
$$;
