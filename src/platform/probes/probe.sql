-- Behaves as GoTrue and as clients do, undoes all of it, and leaves what came of it in agents_db.probe, where it also
-- finds what to try: {"tables": [...], "archived": [...], "functions": [...]}.

do $probe$
declare
  asked     constant jsonb  := current_setting('agents_db.probe')::jsonb;
  role_was  constant text   := current_setting('role');
  path_was  constant text   := current_setting('search_path');
  clients   constant text[] := array['anon', 'authenticated'];
  verbs     constant text[] := array['select', 'insert', 'update', 'delete'];
  -- Stumbles over the first row it meets, so that none is touched; and reads no column, which would let the policies
  -- for select hide what the others let through.
  stumble   constant text   := 'where 1 / (random() * 0)::int = 1';
  -- As PostgreSQL names them where an error comes from: with our schema or with none.
  ours      constant text   := (select '(^|[^.\w]|\m(public|archive)\.)(' || string_agg(substring(f from '\.(\w+)\('), '|') || ')\M'
                                  from jsonb_array_elements_text(asked -> 'functions') f);
  -- A value for each column that we have, by its name, so that every table gets a row.
  person    constant uuid   := gen_random_uuid();
  model     constant uuid   := gen_random_uuid();
  newcomer  jsonb := jsonb_build_object(
    'instance_id', '00000000-0000-0000-0000-000000000000', 'id', person, 'aud', 'authenticated',
    'role', 'authenticated', 'email', person || '@agents-db.invalid',
    'raw_app_meta_data', '{"provider": "email", "providers": ["email"]}'::jsonb, 'raw_user_meta_data', '{}'::jsonb,
    'created_at', now(), 'updated_at', now());
  sample    constant jsonb  := jsonb_build_object(
    'user_id', person, 'llm_id', model, 'agent_type', 'TASK_EXECUTION', 'memory_type', 'user',
    'model_code', 'probe ' || model, 'provider', 'probe', 'display_name', 'probe', 'content', 'probe',
    'status', 'active', 'config', '{}'::jsonb, 'created_at', now(), 'updated_at', now());
  outcomes  jsonb := '[]';
  columns   text;
  target    text;
  client    text;
  verb      text;
  attempt   text;
  row_found jsonb;
  met       bigint;
  state     text;
  message   text;
  context   text;
begin
  perform set_config('search_path', '', true);
  begin
    perform set_config('row_security', 'on', true);

    -- A sign-up, with and without an e-mail address.
    foreach attempt in array array['a sign-up with e-mail', 'a sign-up without e-mail'] loop
      begin
        if attempt = 'a sign-up without e-mail' then
          newcomer := newcomer || jsonb_build_object('id', gen_random_uuid(), 'email', null);
        end if;
        select string_agg(quote_ident(a.attname), ', ') into columns
          from pg_catalog.pg_attribute a
         where a.attrelid = to_regclass('auth.users')
           and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
           and newcomer ? a.attname;
        begin
          perform set_config('role', 'supabase_auth_admin', true);
          perform set_config('search_path', 'auth', true);
        exception when insufficient_privilege or invalid_parameter_value or undefined_object then
          null; -- As the role that we are.
        end;
        execute format('insert into auth.users (%1$s) select %1$s from jsonb_populate_record(null::auth.users, $1)', columns)
          using newcomer;
        get diagnostics met = row_count;
        if met = 0 then
          raise exception 'another trigger let nobody sign up';
        end if;
        perform set_config('role', role_was, true);
        perform set_config('search_path', '', true);
        -- To be refused rather than to see nothing.
        perform set_config('row_security', 'off', true);
        select count(*) into met from public.profiles p where p.id = (newcomer ->> 'id')::uuid and p.username <> '';
        perform set_config('row_security', 'on', true);
        outcomes := outcomes || case
          when met = 0 then jsonb_build_object('what', attempt, 'outcome', 'failed', 'why', 'it makes no profile with a name')
          -- It worked for us, who may write profiles; GoTrue may not.
          when exists (select from pg_catalog.pg_trigger t
                         join pg_catalog.pg_proc p on p.oid = t.tgfoid
                        where t.tgrelid = to_regclass('auth.users') and asked -> 'functions' ? p.oid::regprocedure::text and not p.prosecdef)
            then jsonb_build_object('what', attempt, 'outcome', 'failed', 'why', 'its function is not security definer')
          else jsonb_build_object('what', attempt, 'outcome', 'passed') end;
      exception
        when lock_not_available or deadlock_detected then raise;
        when others or assert_failure then
          get stacked diagnostics state = returned_sqlstate, message = message_text, context = pg_exception_context;
          outcomes := outcomes || jsonb_build_object('what', attempt, 'why', message || ' (SQLSTATE ' || state || ')',
            -- What somebody else's trigger refuses, or this role may not do, says nothing of ours.
            'outcome', case when context ~ ours then 'failed' else 'not tried' end);
      end;
    end loop;

    -- A row in each table, unless it has one that is as good; once more for those that refer to others.
    for target in select jsonb_array_elements_text((asked -> 'tables') || (asked -> 'tables')) loop
      begin
        row_found := sample || jsonb_build_object('id', case target when 'public.llms' then model else gen_random_uuid() end);
        select string_agg(quote_ident(a.attname), ', ') into columns
          from pg_catalog.pg_attribute a
         where a.attrelid = to_regclass(target) and a.attnum > 0 and not a.attisdropped and row_found ? a.attname;
        execute format('insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1) on conflict do nothing',
                       target, columns) using row_found;
        begin
          execute format('update %1$s set id = id where id = $1', target) using (row_found ->> 'id')::uuid;
          execute format('delete from %1$s where id = $1', target) using (row_found ->> 'id')::uuid;
          raise exception using errcode = 'PROBE';
        exception when sqlstate 'PROBE' or integrity_constraint_violation then
          null; -- The row stays.
        end;
      exception
        when lock_not_available or deadlock_detected then raise;
        when insufficient_privilege then null;
        -- A trigger that names a column or a table which is gone.
        when syntax_error_or_access_rule_violation then
          get stacked diagnostics state = returned_sqlstate, message = message_text;
          attempt := 'a row in ' || target;
          if not outcomes @> jsonb_build_array(jsonb_build_object('what', attempt)) then
            outcomes := outcomes || jsonb_build_object('what', attempt, 'outcome', 'failed',
                                                       'why', message || ' (SQLSTATE ' || state || ')');
          end if;
        when others then null; -- Without a row, below.
      end;
    end loop;

    -- Every verb as a client that was granted it, so that row level security alone stands in the way.
    foreach client in array clients loop
      for target in select jsonb_array_elements_text(asked -> 'tables') loop
        begin
          execute format('select to_jsonb(t) from %s t limit 1', target) into row_found;
          execute format('grant %s on %s to %I', array_to_string(verbs, ', '), target, client);
          -- Who may not grant is only warned.
          if exists (select from unnest(verbs) v where not has_table_privilege(client, target, v)) then
            raise insufficient_privilege using message = 'only its owner can grant what is to be tried';
          end if;
          perform set_config('role', client, true);
        exception
          when lock_not_available or deadlock_detected then raise;
          when others then
            get stacked diagnostics state = returned_sqlstate, message = message_text;
            outcomes := outcomes || jsonb_build_object('what', client || ' on ' || target, 'outcome', 'not tried',
                                                       'why', message || ' (SQLSTATE ' || state || ')');
            continue;
        end;
        foreach verb in array verbs loop
          attempt := format('%s can %s nothing %s %s', client, verb,
                            case verb when 'insert' then 'into' when 'update' then 'of' else 'from' end, target);
          if row_found is null then
            outcomes := outcomes || jsonb_build_object('what', attempt, 'outcome', 'not tried', 'why', 'the table has no row to try it on');
            continue;
          end if;
          begin
            case verb
              when 'select' then execute format('select from %s %s', target, stumble);
              when 'insert' then execute format('insert into %1$s select * from jsonb_populate_record(null::%1$s, $1)', target) using row_found;
              when 'update' then execute format('update %s set %I = default %s', target, (select min(k) from jsonb_object_keys(row_found) k), stumble);
              when 'delete' then execute format('delete from %s %s', target, stumble);
            end case;
            get diagnostics met = row_count;
            message := 'it added a row';
          exception
            when insufficient_privilege then met := 0;
            when lock_not_available or deadlock_detected then raise;
            when division_by_zero then
              met := 1;
              message := 'it met a row';
            -- A key or a check refused it, so it was past the policies.
            when others then
              met := 1;
              get stacked diagnostics message = message_text;
          end;
          outcomes := outcomes || case when met = 0 then jsonb_build_object('what', attempt, 'outcome', 'passed')
            else jsonb_build_object('what', attempt, 'outcome', 'failed', 'why', message) end;
        end loop;
        perform set_config('role', role_was, true);
      end loop;
    end loop;

    raise exception using errcode = 'PROBE';
  exception when sqlstate 'PROBE' then
    null; -- Undone.
  end;

  -- What row level security does not stop, and what is not behind it.
  with roles as (
    select r.oid, r.rolname::text as name from pg_catalog.pg_roles r where r.rolname = any (clients)
  ), relations as (
    select c.oid, format('%I.%I', n.nspname, c.relname) as name, n.oid as schema
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  ), held as (
    select r.name || ' cannot truncate ' || t.name as what, has_table_privilege(r.oid, t.oid, 'TRUNCATE') as held
      from roles r, relations t
     where asked -> 'tables' ? t.name
     union all
    select r.name || ' cannot reach ' || t.name,
           has_schema_privilege(r.oid, t.schema, 'USAGE')
           and (has_table_privilege(r.oid, t.oid, 'DELETE, TRUNCATE')
                or has_any_column_privilege(r.oid, t.oid, 'SELECT, INSERT, UPDATE'))
      from roles r, relations t
     where asked -> 'archived' ? t.name
     union all
    select r.name || ' cannot execute ' || f.oid::regprocedure, has_function_privilege(r.oid, f.oid, 'EXECUTE')
      from roles r, pg_catalog.pg_proc f
     where f.proname::text ~ ours and asked -> 'functions' ? f.oid::regprocedure::text
  )
  select outcomes || coalesce(jsonb_agg(
           case when h.held then jsonb_build_object('what', h.what, 'outcome', 'failed', 'why', 'it holds the privilege')
                else jsonb_build_object('what', h.what, 'outcome', 'passed') end order by h.what), '[]')
    into outcomes
    from held h;

  perform set_config('search_path', path_was, true);
  perform set_config('agents_db.probe', outcomes::text, true);
end;
$probe$
