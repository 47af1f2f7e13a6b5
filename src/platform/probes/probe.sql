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
  -- for select hide what the others let through. It is dear enough for PostgreSQL to ask the policies first.
  stumble   constant text   := ' where 1 / ((random() + random() + random() + random() + random() + random()) * 0)::int = 1';
  -- What this transaction has made or changed bears a number from here on; none where it has written nothing.
  begun     constant xid    := pg_current_xact_id_if_assigned()::xid;
  -- As PostgreSQL names our functions where an error comes from, with our schema or with none, and those of this transaction.
  ours      constant text   := (select '(^|[^.\w]|\m(public|archive)\.)(' || string_agg(substring(f from '\.(\w+)\('), '|') || ')\M'
                                  from jsonb_array_elements_text(asked -> 'functions') f);
  changed   constant text   := coalesce((select '\m(' || string_agg(p.oid::regproc::text, '|') || ')\('
                                           from pg_catalog.pg_proc p where age(p.xmin) <= age(begun)), '$.');
  -- A value for each column that we have, by its name, so that every table gets a row.
  person    constant uuid   := gen_random_uuid();
  model     constant uuid   := gen_random_uuid();
  newcomer  jsonb := jsonb_build_object(
    'instance_id', '00000000-0000-0000-0000-000000000000', 'aud', 'authenticated', 'role', 'authenticated',
    'raw_app_meta_data', '{"provider": "email", "providers": ["email"]}'::jsonb,
    'created_at', now(), 'updated_at', now());
  sign_ups  constant jsonb  := jsonb_build_object(
    'with e-mail', '{}'::jsonb,
    'without e-mail', '{"email": null}'::jsonb,
    'with an e-mail without @', jsonb_build_object('email', 'agents-db ' || person),
    'without metadata', '{"raw_user_meta_data": null}'::jsonb,
    'with a long username', jsonb_build_object('raw_user_meta_data', jsonb_build_object('username', repeat('long ', 50))),
    'with a username that is taken', jsonb_build_object('raw_user_meta_data', jsonb_build_object('username', repeat('long ', 50))));
  sample    constant jsonb  := jsonb_build_object(
    'user_id', person, 'llm_id', model, 'agent_type', 'TASK_EXECUTION', 'memory_type', 'user',
    'model_code', 'probe ' || model, 'provider', 'probe', 'display_name', 'probe', 'content', 'probe',
    'status', 'active', 'config', '{}'::jsonb, 'created_at', now(), 'updated_at', now());
  outcomes  jsonb := '[]';
  shape     jsonb;
  command   text;
  plan      json;
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

    -- Sign-ups of every shape. The first is the person who tries everything below.
    for attempt, shape in select key, value from jsonb_each(sign_ups) order by key <> 'with e-mail', key loop
      declare
        id constant uuid := case attempt when 'with e-mail' then person else gen_random_uuid() end;
        given constant jsonb := newcomer || jsonb_build_object('id', id, 'email', id || '@agents-db.invalid', 'raw_user_meta_data', '{}'::jsonb) || shape;
      begin
        attempt := 'a sign-up ' || attempt;
        select string_agg(quote_ident(a.attname), ', ') into columns
          from pg_catalog.pg_attribute a
         where a.attrelid = to_regclass('auth.users')
           and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
           and given ? a.attname;
        begin
          perform set_config('role', 'supabase_auth_admin', true);
          perform set_config('search_path', 'auth', true);
        exception when insufficient_privilege or invalid_parameter_value or undefined_object then
          null; -- As the role that we are.
        end;
        execute format('insert into auth.users (%1$s) select %1$s from jsonb_populate_record(null::auth.users, $1)', columns)
          using given;
        get diagnostics met = row_count;
        if met = 0 then
          raise exception 'another trigger let nobody sign up';
        end if;
        -- As at its commit.
        set constraints all immediate;
        perform set_config('role', role_was, true);
        perform set_config('search_path', '', true);
        -- To be refused rather than to see nothing.
        perform set_config('row_security', 'off', true);
        select count(*) into met from public.profiles p where p.id = (given ->> 'id')::uuid and p.username <> '';
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
            'outcome', case when context ~ ours or context ~ changed then 'failed' else 'not tried' end);
      end;
    end loop;

    -- A row in each table, unless it has one that is as good; once more for those that refer to others.
    for target in select jsonb_array_elements_text((asked -> 'tables') || (asked -> 'tables')) loop
      begin
        row_found := sample || jsonb_build_object('id', case target when 'public.llms' then model when 'public.profiles' then person else gen_random_uuid() end);
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
          -- As PostgREST tells who asks.
          perform set_config('request.jwt.claims', jsonb_build_object('sub', person, 'role', client)::text, true),
                  set_config('request.jwt.claim.sub', person::text, true),
                  set_config('request.jwt.claim.role', client, true),
                  set_config('role', client, true);
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
            if verb = 'insert' then
              execute format('insert into %1$s select * from jsonb_populate_record(null::%1$s, $1)', target)
                -- One that is the person's own, so that a policy for owners lets it through.
                using row_found || sample || jsonb_build_object('id', case target when 'public.profiles' then person else gen_random_uuid() end);
              get diagnostics met = row_count;
            else
              command := case verb
                when 'select' then format('select from %s', target)
                when 'update' then format('update %s set %I = default', target, (select min(k) from jsonb_object_keys(row_found) k))
                else format('delete from %s', target) end;
              -- Where the policies let nothing through, the plan says so, however large the table is.
              execute 'explain (format json) ' || command into plan;
              met := 0;
              if plan::text !~ '"One-Time Filter": "false"' then
                execute command || stumble;
              end if;
            end if;
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
  with recursive roles as (
    select r.oid, r.rolname::text as name from pg_catalog.pg_roles r where r.rolname = any (clients)
  ), relations as (
    select c.oid, format('%I.%I', n.nspname, c.relname) as name, n.oid as schema, c.relkind as kind, c.relrowsecurity as secured,
           coalesce(c.reloptions && '{security_invoker=on,security_invoker=true}', false) as invoker,
           age(c.xmin) <= age(begun) as changed
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f')
  ), reads as (
    -- What a view reads, by way of other views too.
    select t.oid as view, d.refobjid as relation
      from relations t
      join pg_catalog.pg_rewrite r on r.ev_class = t.oid
      join pg_catalog.pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
     where t.changed and t.kind in ('v', 'm') and not t.invoker and d.refobjid <> t.oid
     union
    select reads.view, d.refobjid
      from reads
      join pg_catalog.pg_rewrite r on r.ev_class = reads.relation
      join pg_catalog.pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
  ), reachable as (
    select r.name as client, t.*
      from roles r, relations t
     where has_schema_privilege(r.oid, t.schema, 'USAGE')
       and (has_table_privilege(r.oid, t.oid, 'DELETE, TRUNCATE, REFERENCES, TRIGGER')
            or has_any_column_privilege(r.oid, t.oid, 'SELECT, INSERT, UPDATE'))
  ), held as (
    select r.name || ' cannot truncate ' || t.name as what, has_table_privilege(r.oid, t.oid, 'TRUNCATE') as held
      from roles r, relations t
     where asked -> 'tables' ? t.name or t.changed and t.kind in ('r', 'p')
     union all
    select r.name || ' cannot reach ' || t.name, exists (select from reachable c where c.client = r.name and c.oid = t.oid)
      from roles r, relations t
     where asked -> 'archived' ? t.name
     union all
    select r.name || ' cannot execute ' || f.oid::regprocedure, has_function_privilege(r.oid, f.oid, 'EXECUTE')
      from roles r, pg_catalog.pg_proc f
     where f.proname::text ~ ours and asked -> 'functions' ? f.oid::regprocedure::text
     union all
    -- What this transaction opens, and no catalog.json knows.
    select c.client || ' cannot reach ' || c.name, true
      from reachable c
     where c.changed and not (asked -> 'tables' ? c.name or asked -> 'archived' ? c.name)
       and (c.kind in ('r', 'p') and not c.secured
            or exists (select from reads join relations t on t.oid = reads.relation
                        where reads.view = c.oid and (asked -> 'tables' ? t.name or asked -> 'archived' ? t.name)))
     union all
    select r.name || ' cannot put a trigger on ' || t.name, true
      from roles r, relations t
     where t.changed and t.kind in ('r', 'p') and has_table_privilege(r.oid, t.oid, 'TRIGGER')
     union all
    select r.name || ' cannot execute ' || f.oid::regprocedure, true
      from roles r, pg_catalog.pg_proc f
     where age(f.xmin) <= age(begun) and f.prosecdef and not asked -> 'functions' ? f.oid::regprocedure::text
       and has_function_privilege(r.oid, f.oid, 'EXECUTE')
     union all
    select r.name || ' cannot act as ' || m.roleid::regrole, true
      from roles r
      join pg_catalog.pg_auth_members m on m.member = r.oid
     where age(m.xmin) <= age(begun)
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
