-- The backend's role may do everything; clients nothing. Row level security does not stop TRUNCATE, and older
-- Supabase projects grant it to clients on every new table.
revoke all on public.llms, public.memories, public.profiles, public.system_agents
  from public, anon, authenticated, service_role;

grant all on public.llms, public.memories, public.profiles, public.system_agents to service_role;
