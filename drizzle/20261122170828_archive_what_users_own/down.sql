-- Settings become what they were. The copies stay as long as the triggers keep them current.
-- The list of profiles is emptied first: so the next way up looks at every profile anew, and who signs up
-- from here on is in it alone.

delete from archive.profiles;
--> statement-breakpoint

select archive.restore_settings();
--> statement-breakpoint

-- They are back where they came from. What stays says which prompts were a profile's own.
delete from archive.profile_settings
 where jsonb_typeof(settings -> 'agent_prompts') is distinct from 'object';
