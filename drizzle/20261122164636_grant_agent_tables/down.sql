-- Back to tables that only their owner may use.

revoke all on public.llms, public.memories, public.profiles, public.user_agent_catalog, public.user_agents
  from service_role;
