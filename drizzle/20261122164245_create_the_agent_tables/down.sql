-- Takes the tables away and with them what they hold: so not while a user owns a row in them.
-- Dropping the function takes its trigger along, on auth.users, which is not ours to alter.

drop function public.create_profile_for_new_user() cascade;
--> statement-breakpoint

lock table public.profiles, public.user_agents, public.memories in access exclusive mode;
--> statement-breakpoint

drop table public.memories;
--> statement-breakpoint

drop table public.user_agents;
--> statement-breakpoint

drop table public.user_agent_catalog;
--> statement-breakpoint

drop table public.profiles;
--> statement-breakpoint

drop table public.llms;
