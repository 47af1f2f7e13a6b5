-- A sign-up creates a profile. It needs no e-mail address, and no name makes it fail.
-- A test keeps this file equal to what the migrations leave.
create or replace function public.create_profile_for_new_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.profiles (id, username, settings)
  values (
    new.id,
    coalesce(
      nullif(btrim(case jsonb_typeof(new.raw_user_meta_data -> 'username')
                     when 'string' then new.raw_user_meta_data ->> 'username'
                   end, e' \t\n\r\f\x0b'), ''),
      nullif(btrim(split_part(new.email, '@', 1), e' \t\n\r\f\x0b'), ''),
      'user_' || left(new.id::pg_catalog.text, 8)
    ),
    '{"agent_prompts": {}}'
  )
  on conflict (id) do nothing;

  return new;
end;
$$;

revoke all on function public.create_profile_for_new_user() from public, anon, authenticated, service_role;

create or replace trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.create_profile_for_new_user();
