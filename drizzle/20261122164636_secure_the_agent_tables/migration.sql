-- Who may use the tables, said in full, so that it does not depend on what a project grants by default:
-- the backend's role may do all, clients nothing.

revoke all on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  from public, anon, authenticated, service_role;
--> statement-breakpoint

grant all on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  to service_role;
