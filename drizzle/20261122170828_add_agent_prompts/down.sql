-- Settings become what they were. The list of profiles is emptied first: so the next migration looks at every profile anew,
-- and the list holds only users who sign up from here on.

delete from archive.profiles;
--> statement-breakpoint

select archive.restore_settings();
--> statement-breakpoint

-- They are back where they came from. What stays says which prompts were a profile's own.
delete from archive.profile_settings
 where jsonb_typeof(settings -> 'agent_prompts') is distinct from 'object';
