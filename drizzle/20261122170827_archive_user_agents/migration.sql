-- Copies what the triggers have not seen. Blocks only clients that change a row while it is being copied; online.sql has
-- copied most of them before.

select archive.copy_user_agents();
--> statement-breakpoint

select archive.copy_memory_agents();
