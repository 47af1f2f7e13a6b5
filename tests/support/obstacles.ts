/** What a project may have made, and what stops the migration because of it. */
export const obstacles: Record<string, [make: string, finds: string]> = {
  'a view': [
    'create view public.report as select user_id from public.user_agents',
    'view public.report depends on table public.user_agents, which MIGRATION drops',
  ],
  'a view of a column': [
    'create view public.busy as select agent_id from public.memories',
    'view public.busy depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a materialized view': [
    'create materialized view public.cached as select count(*) from public.user_agents',
    'materialized view public.cached depends on table public.user_agents, which MIGRATION drops',
  ],
  'a foreign key': [
    'create table public.favourites (agent_id uuid constraint fk_agent references public.user_agents)',
    'constraint fk_agent on public.favourites depends on table public.user_agents, which MIGRATION drops',
  ],
  'a function of its rows': [
    `create function public.label(public.user_agents) returns text language sql as 'select $1.status'`,
    'function public.label(public.user_agents) depends on table public.user_agents, which MIGRATION drops',
  ],
  'a function with a parsed body': [
    'create function public.agents() returns bigint language sql begin atomic select count(*) from public.user_agents; end',
    'function public.agents() depends on table public.user_agents, which MIGRATION drops',
  ],
  'a function whose body names a table': [
    `create function public.named() returns bigint language plpgsql as 'begin return (select count(*) from user_agents); end'`,
    'function public.named() names table public.user_agents, which MIGRATION drops',
  ],
  'a function whose body names a table that is renamed': [
    `create function public.catalog() returns bigint language sql as 'select count(*) from public.user_agent_catalog'`,
    'function public.catalog() names renamed table public.user_agent_catalog, which MIGRATION renames',
  ],
  'a trigger that names a column': [
    `create function public.note() returns trigger language plpgsql as 'begin perform new.agent_id; return new; end';
     create trigger note before insert on public.memories for each row execute function public.note()`,
    'function public.note() names column public.memories.agent_id, which MIGRATION drops',
  ],
  'a trigger on a column': [
    `create function public.moved() returns trigger language plpgsql as 'begin return new; end';
     create trigger moved before update of agent_id on public.memories for each row execute function public.moved()`,
    'trigger moved on public.memories depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a policy': [
    `create policy own on public.profiles for select to service_role using (exists (select from public.user_agents))`,
    'policy own on public.profiles depends on table public.user_agents, which MIGRATION drops',
  ],
  'a publication of a column': [
    `create publication feed for table public.memories (id, agent_id) with (publish = 'insert')`,
    'publication feed on public.memories depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a publication filtered by a column': [
    `create publication filtered for table public.memories where (agent_id is null) with (publish = 'insert')`,
    'publication filtered on public.memories depends on column public.memories.agent_id, which MIGRATION drops',
  ],
  'a column': [
    'alter table public.user_agents add column nickname text',
    'column nickname on public.user_agents is not of these migrations: MIGRATION would lose its values',
  ],
  'a column of the catalog': [
    `alter table public.user_agent_catalog add column icon text not null default ''`,
    'column icon on public.user_agent_catalog is not of these migrations: MIGRATION would lose its values',
  ],
}

/** The migration that is at fault, in each message. */
export const unnamed = (message: string) => message.replaceAll(/\d{14}_\w+/g, 'MIGRATION')
