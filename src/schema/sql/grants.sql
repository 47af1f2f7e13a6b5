-- The backend's role reads and writes rows, and no more: TRIGGER and TRUNCATE would let a role that inherits it take over the
-- deployer, or empty the tables. Clients may do nothing. Row level security does not stop TRUNCATE, and older Supabase projects
-- grant it to clients on every new table.
revoke all on public.llms, public.memories, public.profiles, public.system_agents
  from public, anon, authenticated, service_role;

grant select, insert, update, delete on public.llms, public.memories, public.profiles, public.system_agents
  to service_role;
