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
  -- As PostgreSQL names our functions where an error comes from, with our schema or with none.
  ours      constant text   := (select '(^|[^.\w]|\m(public|archive)\.)(' || string_agg(substring(f from '\.(\w+)\('), '|') || ')\M'
                                  from jsonb_array_elements_text(asked -> 'functions') f);
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
    'with a short username', '{"raw_user_meta_data": {"username": "x"}}'::jsonb,
    'with a username that is taken', '{"raw_user_meta_data": {"username": "x"}}'::jsonb,
    -- That does not become shorter when it is compressed.
    'with a long username', jsonb_build_object('raw_user_meta_data', jsonb_build_object('username',
      (select string_agg(md5(i::text), '') from generate_series(1, 320) i))),
    'with an empty username', '{"raw_user_meta_data": {"username": ""}}'::jsonb,
    'with a username that is no text', '{"raw_user_meta_data": {"username": {"first": 1}}}'::jsonb,
    'with a username of every kind of character', jsonb_build_object('raw_user_meta_data', jsonb_build_object('username',
      E'\x01 '' " \\ % $1 -- ' || (select string_agg(chr(c), ' ') from unnest(
        case getdatabaseencoding() when 'UTF8' then '{127,133,241,1046,8238,28450,128512}'::int[] else '{127}' end) c))));
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
            -- What somebody else's trigger refuses, their index has no room for, or this role may not do, says nothing of ours.
            'outcome', case when context ~ ours and state <> '54000' then 'failed' else 'not tried' end);
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
        -- A trigger that names a column or a table which is gone; an index that cannot be computed.
        when syntax_error_or_access_rule_violation or data_exception then
          get stacked diagnostics state = returned_sqlstate, message = message_text, context = pg_exception_context;
          attempt := 'a row in ' || target;
          if not outcomes @> jsonb_build_array(jsonb_build_object('what', attempt))
             -- What a trigger refuses in this way, it may mean to.
             and (state !~ '^22' or context !~ 'PL/pgSQL function (?!inline_code_block)') then
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
           asked -> 'tables' ? format('%I.%I', n.nspname, c.relname) as is_table,
           asked -> 'archived' ? format('%I.%I', n.nspname, c.relname) as is_archived
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  ), uses as (
    -- What a view or a rule uses with the rights of its owner, by way of other views too.
    select t.oid as relation, r.xmin::text as version, d.refobjid as used
      from relations t
      join pg_catalog.pg_rewrite r on r.ev_class = t.oid
      join pg_catalog.pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
     where not t.invoker and d.refobjid <> t.oid
     union
    select uses.relation, uses.version, d.refobjid
      from uses
      join pg_catalog.pg_rewrite r on r.ev_class = uses.used
      join pg_catalog.pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
  ), reachable as (
    select r.name as client, t.*, h.privileges, case when t.secured then h.unstopped else h.privileges end as unstopped,
           (select string_agg(concat(a.attnum, a.attacl), ' ' order by a.attnum)
              from pg_catalog.pg_attribute a where a.attrelid = t.oid and a.attacl is not null) as columns
      from roles r
     cross join relations t
     cross join lateral (
        -- Row level security stops all but the last two.
        select string_agg(p.name, ', ' order by p.n) as privileges,
               string_agg(p.name, ', ' order by p.n) filter (where p.n > 5) as unstopped
          from unnest('{SELECT,INSERT,UPDATE,REFERENCES,DELETE,TRIGGER,TRUNCATE}'::text[]) with ordinality p (name, n)
         where case when p.n <= 4 then has_any_column_privilege(r.oid, t.oid, p.name) else has_table_privilege(r.oid, t.oid, p.name) end) h
     where has_schema_privilege(r.oid, t.schema, 'USAGE') and h.privileges is not null
  ), held as (
    select r.name || ' cannot truncate ' || t.name as what, has_table_privilege(r.oid, t.oid, 'TRUNCATE') as held
      from roles r, relations t
     where t.is_table
     union all
    select r.name || ' cannot reach ' || t.name, exists (select from reachable c where c.client = r.name and c.oid = t.oid)
      from roles r, relations t
     where t.is_archived
     union all
    select r.name || ' cannot execute ' || f.oid::regprocedure, has_function_privilege(r.oid, f.oid, 'EXECUTE')
      from roles r, pg_catalog.pg_proc f
      join pg_catalog.pg_namespace n on n.oid = f.pronamespace and n.nspname in ('public', 'archive')
     where asked -> 'functions' ? f.oid::regprocedure::text
  ), openings as (
    -- What is wrong only where it is new: a project may have opened what is its own. The keys survive a new name.
    select c.client || ' is granted nothing on ' || c.name as what, 'it holds ' || c.privileges as why,
           concat_ws(' ', c.client, c.oid, c.privileges, c.columns) as key
      from reachable c
     where c.is_table and c.privileges <> 'TRUNCATE'
     union all
    select c.client || ' cannot reach ' || c.name,
           'it holds ' || c.unstopped || case when c.secured then ', which row level security does not stop'
                                              else ', and the table has no row level security' end,
           concat_ws(' ', c.client, c.oid, c.unstopped, case when not c.secured then c.columns end)
      from reachable c
     where not c.is_table and not c.is_archived and c.kind in ('r', 'p', 'f') and c.unstopped is not null
     union all
    select c.client || ' cannot reach ' || c.name, 'it uses ' || t.name || ' with the rights of its owner',
           concat_ws(' ', c.client, c.oid, c.privileges, c.columns, t.oid, u.version)
      from reachable c
      join uses u on u.relation = c.oid
      join relations t on t.oid = u.used and (t.is_table or t.is_archived)
     union all
    select r.name || ' cannot execute ' || f.oid::regprocedure, 'it would act with the rights of its owner',
           concat_ws(' ', r.name, f.oid, f.xmin)
      from roles r
     cross join pg_catalog.pg_proc f
      join pg_catalog.pg_namespace n on n.oid = f.pronamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     where f.prosecdef and not asked -> 'functions' ? f.oid::regprocedure::text
       and has_schema_privilege(r.oid, n.oid, 'USAGE') and has_function_privilege(r.oid, f.oid, 'EXECUTE')
     union all
    select r.name || ' cannot act as ' || m.rolname, 'it is a member of that role', concat_ws(' ', r.name, m.oid)
      from roles r
      join pg_catalog.pg_roles m on m.oid <> r.oid and pg_has_role(r.oid, m.oid, 'MEMBER')
     union all
    select format('no policy opens %s', t.name), format('%I lets clients through', p.polname),
           concat_ws(' ', p.oid, pg_get_expr(p.polqual, t.oid), pg_get_expr(p.polwithcheck, t.oid))
      from relations t
      join pg_catalog.pg_policy p on p.polrelid = t.oid and p.polpermissive
     where t.is_table
       and (pg_get_expr(p.polqual, t.oid) <> 'false' or pg_get_expr(p.polwithcheck, t.oid) <> 'false')
       and exists (select from roles r, unnest(p.polroles) o (oid) where o.oid = 0 or pg_has_role(r.oid, o.oid, 'MEMBER'))
     union all
    -- Who may read a parent reads its children.
    select t.name || ' inherits nothing', concat_ws(' ', i.inhrelid::regclass, 'inherits', i.inhparent::regclass),
           concat_ws(' ', i.inhrelid, i.inhparent)
      from relations t
      join pg_catalog.pg_inherits i on t.oid in (i.inhrelid, i.inhparent)
     where t.is_table or t.is_archived
  )
  select outcomes || coalesce(jsonb_agg(o.outcome order by o.outcome ->> 'what', o.outcome ->> 'why'), '[]')
    into outcomes
    from (select case when h.held then jsonb_build_object('what', h.what, 'outcome', 'failed', 'why', 'it holds the privilege')
                      else jsonb_build_object('what', h.what, 'outcome', 'passed') end as outcome
            from held h
           union all
          select distinct jsonb_build_object('what', o.what, 'outcome', 'open', 'why', o.why, 'key', o.key)
            from openings o) o;

  perform set_config('search_path', path_was, true);
  perform set_config('agents_db.probe', outcomes::text, true);
end;
$probe$
