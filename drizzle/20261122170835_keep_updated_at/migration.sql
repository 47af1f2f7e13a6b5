-- The database keeps updated_at: an update that changes nothing else leaves it, whatever it says.

create function public.keep_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := old.updated_at;
  if new is distinct from old then
    new.updated_at := now();
  end if;
  return new;
end;
$$;
--> statement-breakpoint

revoke all on function public.keep_updated_at() from public, anon, authenticated, service_role;
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.llms
  for each row execute function public.keep_updated_at();
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.memories
  for each row execute function public.keep_updated_at();
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.profiles
  for each row execute function public.keep_updated_at();
--> statement-breakpoint

create trigger keep_updated_at
  before update on public.system_agents
  for each row execute function public.keep_updated_at();
