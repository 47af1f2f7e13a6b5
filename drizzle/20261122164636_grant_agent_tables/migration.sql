-- Who may use the tables, said in full, so that it does not depend on what a project grants by default: the backend's role
-- reads and writes rows, clients do nothing.

revoke all on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  from public, anon, authenticated, service_role;
--> statement-breakpoint

grant select, insert, update, delete on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  to service_role;
