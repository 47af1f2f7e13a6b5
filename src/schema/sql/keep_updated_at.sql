-- updated_at belongs to the database: it is the time of the last update that changed anything else.
-- A test keeps this file equal to what the migrations leave.
create or replace function public.keep_updated_at()
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

revoke all on function public.keep_updated_at() from public, anon, authenticated, service_role;

create or replace trigger keep_updated_at
  before update on public.llms
  for each row execute function public.keep_updated_at();

create or replace trigger keep_updated_at
  before update on public.memories
  for each row execute function public.keep_updated_at();

create or replace trigger keep_updated_at
  before update on public.profiles
  for each row execute function public.keep_updated_at();

create or replace trigger keep_updated_at
  before update on public.system_agents
  for each row execute function public.keep_updated_at();
