-- What down.sql does to settings, in batches.

-- @batches public.profiles by id
select archive.restore_settings($1, $2) as "profiles whose settings were restored";
