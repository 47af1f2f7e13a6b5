-- Copies what the triggers have not seen, and gives agent_prompts to the profiles that lack them.
-- Blocks nobody but who changes a row being copied; online.sql does most of it beforehand.

insert into archive.user_agents
       (id, user_id, llm_id, agent_type, config, status,
        created_by, updated_by, created_at, updated_at, deleted_at)
select a.id, a.user_id, a.llm_id, a.agent_type, a.config, a.status,
       a.created_by, a.updated_by, a.created_at, a.updated_at, a.deleted_at
  from public.user_agents a
 where not exists (select from archive.user_agents k where k.id = a.id)
   for share of a
on conflict (id) do nothing;
--> statement-breakpoint

insert into archive.memory_agents (memory_id, agent_id)
select m.id, m.agent_id
  from public.memories m
 where m.agent_id is not null
   and not exists (select from archive.memory_agents k where k.memory_id = m.id)
   for share of m
on conflict (memory_id) do nothing;
--> statement-breakpoint

-- Prompts that a profile had before us are its own: an empty agent_prompts stays on the way down.
insert into archive.profile_settings (profile_id, settings)
select p.id, p.settings
  from public.profiles p
 where jsonb_typeof(p.settings -> 'agent_prompts') = 'object'
   and not exists (select from archive.profiles k where k.id = p.id)
   for key share of p
on conflict (profile_id) do nothing;
--> statement-breakpoint

select archive.repair_settings();
--> statement-breakpoint

insert into archive.profiles (id)
select p.id
  from public.profiles p
 where not exists (select from archive.profiles k where k.id = p.id)
   for key share of p
on conflict (id) do nothing;
