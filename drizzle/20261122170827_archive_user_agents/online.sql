-- What migration.sql does, in batches.

-- @batches public.user_agents by id
select archive.copy_user_agents($1, $2) as "rows of user_agents copied to archive";
--> statement-breakpoint

-- @batches public.memories by id
select archive.copy_memory_agents($1, $2) as "agent_ids of memories copied to archive";
