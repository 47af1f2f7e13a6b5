-- Drops its triggers too.
drop function public.keep_updated_at() cascade;
