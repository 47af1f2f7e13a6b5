-- One row for each fact about the objects in a scope. Lists come as jsonb; `only` is null for all objects.

with recursive named as (
  select jsonb_array_elements_text(:only) as name
), relations as (
  select r.*, r.kind || ' ' || r.name as object
    from (select c.*, n.nspname, format('%I.%I', n.nspname, c.relname) as name,
                 case c.relkind when 'r' then 'table' when 'v' then 'view' when 'p' then 'partitioned table'
                                when 'm' then 'materialized view' when 'f' then 'foreign table' else 'sequence' end as kind
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
           where c.relkind in ('r', 'v', 'p', 'm', 'f', 'S')) r
   where case when :only is null then :schemas ? r.nspname
              else r.name in (select name from named) and not :external_tables ? r.name end
), functions as (
  select f.*, case f.prokind when 'p' then 'procedure ' else 'function ' end || f.name as object
    from (select p.*, n.nspname, p.oid::regprocedure::text as name
            from pg_catalog.pg_proc p
            join pg_catalog.pg_namespace n on n.oid = p.pronamespace
           where :schemas ? n.nspname and p.prokind in ('f', 'p')
             and not exists (select from pg_catalog.pg_depend d
                              where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')) f
   where :only is null or f.name in (select name from named)
), schemas as (
  select n.*, 'schema ' || n.nspname as object
    from pg_catalog.pg_namespace n
   where n.nspname <> 'public' and :schemas ? n.nspname
     and (:only is null or n.nspname in (select name from named))
), client_roles as (
  select r.*, 'role ' || quote_ident(r.rolname) as object
    from pg_catalog.pg_roles r
   where :client_roles ? r.rolname
), indexes as (
  select *, case when not indislive then 'not live' when not indisready then 'not ready' when not indisvalid then 'invalid' end as flaw
    from pg_catalog.pg_index
), external_tables as (
  -- By their names alone: to_regclass() asks for a right to the schema.
  select c.oid, c.relowner, c.relacl, format('table %I.%I', n.nspname, c.relname) as object
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where :external_tables ? format('%I.%I', n.nspname, c.relname)
), views_on as (
  select object, oid from relations
   union
  select o.object, w.ev_class
    from views_on o
    join pg_catalog.pg_depend d on d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = o.oid
                               and d.classid = 'pg_catalog.pg_rewrite'::regclass
    join pg_catalog.pg_rewrite w on w.oid = d.objid
), deployer as (
  -- The role's name differs between projects.
  select mode() within group (order by relowner) as oid
    from relations
   where not :client_roles ? relowner::regrole::text
), roles as (
  select 0::oid as oid, 'public' as name
   union all
  select r.oid, case when r.oid = d.oid then 'the deployer' else r.rolname end
    from pg_catalog.pg_roles r, deployer d
), clients as (
  -- Who is not above row level security.
  select 0::oid as oid, 'public' as rolname
   union all
  select oid, rolname from client_roles where not rolbypassrls
), privileges as (
  select object, 'n'::"char" as kind, nspowner as owner, '' as of_column, coalesce(nspacl, acldefault('n', nspowner)) as acl
    from schemas
   union all
  -- Of public, only which clients may create in it, and of the tables of others which may write: see `grants`.
  select 'schema public', null, nspowner, '', coalesce(nspacl, acldefault('n', nspowner))
    from pg_catalog.pg_namespace
   where nspname = 'public' and :schemas ? nspname
   union all
  select object, 'r', relowner, '', coalesce(relacl, acldefault('r', relowner)) from relations where kind <> 'sequence'
   union all
  select object, 's', relowner, '', coalesce(relacl, acldefault('s', relowner)) from relations where kind = 'sequence'
   union all
  select r.object, null, r.relowner, ' on column ' || quote_ident(a.attname), a.attacl
    from (select oid, object, relowner from relations union all select oid, object, relowner from external_tables) r
    join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attacl is not null
   union all
  select object, null, relowner, '', coalesce(relacl, acldefault('r', relowner)) from external_tables
   union all
  select object, 'f', proowner, '', coalesce(proacl, acldefault('f', proowner)) from functions
), grants as (
  select p.object, p.of_column, r.name as grantee, p.kind, p.owner,
         array_agg(distinct g.privilege_type order by g.privilege_type) as held,
         array_agg(distinct g.privilege_type order by g.privilege_type) filter (where g.is_grantable) as grantable
    from privileges p, aclexplode(p.acl) g, roles r
   where r.oid = g.grantee
     and case when p.object = 'schema public' then g.privilege_type = 'CREATE' and r.oid in (select oid from clients)
              when p.object in (select object from external_tables)
                then g.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER') and r.oid in (select oid from clients)
              else true end
   group by p.object, p.of_column, r.name, p.kind, p.owner
), facts as (
  select object, 'comment' as fact, obj_description(oid, 'pg_namespace') as value from schemas
   union all
  select s.object, 'owner', r.name from schemas s join roles r on r.oid = s.nspowner
   union all
  select s.object, 'owner', r.name from relations s join roles r on r.oid = s.relowner
   union all
  select s.object, 'owner', r.name from functions s join roles r on r.oid = s.proowner
   union all
  -- MAINTAIN came with PostgreSQL 17: it makes no difference to a role that has all the rest.
  select g.object, 'grants' || g.of_column || ' to ' || g.grantee,
         concat(case when g.held @> array(select w.privilege_type
                                            from aclexplode(acldefault(g.kind, g.owner)) w
                                           where w.grantee = g.owner and w.privilege_type <> 'MAINTAIN')
                      and g.kind in ('r', 's', 'n') then 'all' else array_to_string(g.held, ', ') end,
                '; may pass on ' || array_to_string(g.grantable, ', '))
    from grants g
   union all
  select object, 'attributes',
         coalesce(nullif(concat_ws(' ', case when rolsuper then 'superuser' end, case when rolbypassrls then 'bypassrls' end,
                                        case when rolcreaterole then 'createrole' end, case when rolreplication then 'replication' end), ''), 'none')
    from client_roles
   union all
  select r.object, 'membership', string_agg(distinct m.roleid::regrole::text, ', ')
    from client_roles r join pg_catalog.pg_auth_members m on m.member = r.oid
   group by r.object
   union all
  select object, 'row level security',
         concat(case when relrowsecurity then 'enabled' else 'disabled' end, case when relforcerowsecurity then ', forced' end)
    from relations
   where relkind in ('r', 'p')
   union all
  select object, 'persistence', case relpersistence when 'u' then 'unlogged' else 'temporary' end
    from relations where relpersistence <> 'p'
   union all
  select object, 'definition', pg_get_viewdef(oid) from relations where relkind in ('v', 'm')
   union all
  -- `on` is `true`, and `false` as good as not set.
  select r.object, 'options', string_agg(concat(o.option_name, '=', v.value), ', ' order by o.option_name)
    from relations r, pg_options_to_table(r.reloptions) o,
         lateral (select case o.option_name when 'check_option' then o.option_value else o.option_value::boolean::text end) v (value)
   where r.relkind = 'v' and v.value <> 'false'
   group by r.object
   union all
  -- A role that may read a parent reads its children.
  select r.object, 'inheritance',
         string_agg(case when i.inhrelid = r.oid then 'from ' || i.inhparent::regclass else 'by ' || i.inhrelid::regclass end, ', '
                    order by i.inhparent = r.oid, i.inhparent::regclass::text collate "C", i.inhrelid::regclass::text collate "C")
    from relations r join pg_catalog.pg_inherits i on r.oid in (i.inhrelid, i.inhparent)
   group by r.object
   union all
  -- With a publication, it refuses every update and delete.
  select object, 'replica identity', 'nothing' from relations where relreplident = 'n' and relkind in ('r', 'p')
   union all
  select r.object, 'column ' || quote_ident(a.attname),
         concat(format_type(a.atttypid, a.atttypmod),
                case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation end,
                case when a.attnotnull then ' not null' end,
                case when exists (select from pg_catalog.pg_constraint n
                                   where n.conrelid = r.oid and n.contype = 'n' and n.conkey = array[a.attnum] and not n.convalidated)
                     then ' not valid' end,
                case a.attidentity when 'a' then ' generated always as identity' when 'd' then ' generated by default as identity' end,
                case when a.attgenerated <> '' then ' generated always as ' else ' default ' end || pg_get_expr(d.adbin, d.adrelid))
    from relations r
    join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
   where r.kind <> 'sequence'
   union all
  -- From PostgreSQL 18 on, "not null" is a constraint too; the column says it already. Triggers say what they are.
  select r.object, 'constraint ' || quote_ident(c.conname),
         concat(pg_get_constraintdef(c.oid),
                case when exists (select from pg_catalog.pg_trigger t where t.tgconstraint = c.oid and t.tgenabled in ('D', 'R'))
                     then ', its triggers disabled' end,
                ', its index ' || i.flaw)
    from relations r
    join pg_catalog.pg_constraint c on c.conrelid = r.oid
    left join indexes i on i.indexrelid = c.conindid and i.indrelid = c.conrelid
   where c.contype not in ('n', 't')
   union all
  select r.object, 'index ' || quote_ident(i.relname),
         concat(replace(case when i.reloptions is null then pg_get_indexdef(i.oid)
                             else regexp_replace(pg_get_indexdef(i.oid), ' WITH [(][^)]*[)]', '') end,
                        ' INDEX ' || quote_ident(i.relname) || ' ON ', ' INDEX ON '),
                ', ' || x.flaw)
    from relations r
    join indexes x on x.indrelid = r.oid
    join pg_catalog.pg_class i on i.oid = x.indexrelid
   where not exists (select from pg_catalog.pg_constraint c where c.conindid = x.indexrelid and c.conrelid = r.oid)
   union all
  select r.object, 'rule ' || quote_ident(w.rulename), pg_get_ruledef(w.oid)
    from (select oid, object from relations union all select oid, object from external_tables) r
    join pg_catalog.pg_rewrite w on w.ev_class = r.oid
   where w.rulename <> '_RETURN'
   union all
  select coalesce(r.object, f.object), 'trigger ' || quote_ident(t.tgname),
         concat(replace(pg_get_triggerdef(t.oid), ' TRIGGER ' || quote_ident(t.tgname) || ' ', ' TRIGGER '),
                case t.tgenabled when 'D' then ', disabled' when 'R' then ', replica only' when 'A' then ', always' end)
    from pg_catalog.pg_trigger t
    left join relations r on r.oid = t.tgrelid
    left join external_tables f on f.oid = t.tgrelid
   where not t.tgisinternal
     and (r.oid is not null
          or f.oid is not null
             and (:only is null or t.tgname in (select name from named)
                  or t.tgfoid in (select oid from functions)))
   union all
  select r.object, 'policy ' || quote_ident(p.polname),
         concat(case when p.polpermissive then 'permissive' else 'restrictive' end,
                ' for ', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                                       when 'd' then 'delete' else 'all' end,
                ' to ', array_to_string(array(select a.name from unnest(p.polroles) to_role join roles a on a.oid = to_role order by 1), ', '),
                ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    from relations r
    join pg_catalog.pg_policy p on p.polrelid = r.oid
   union all
  -- With the rights of its owner.
  select o.object, 'view ' || v.oid::regclass, string_agg(c.rolname, ', ' order by c.rolname)
    from views_on o
    join pg_catalog.pg_class v on v.oid = o.oid and v.relkind in ('v', 'm')
    join clients c on c.oid <> 0
   where o.object not like '%view %'
     and not exists (select from pg_options_to_table(v.reloptions) where option_name = 'security_invoker' and option_value::boolean)
     and has_schema_privilege(c.oid, v.relnamespace, 'usage')
     and (has_any_column_privilege(c.oid, v.oid, 'select, insert, update') or has_table_privilege(c.oid, v.oid, 'delete'))
   group by o.object, v.oid
   union all
  select object, 'arguments', nullif(pg_get_function_arguments(oid), '') from functions
   union all
  select object, 'returns', pg_get_function_result(oid) from functions
   union all
  select f.object, 'language', l.lanname from functions f join pg_catalog.pg_language l on l.oid = f.prolang
   union all
  select object, 'security', case when prosecdef then 'definer' else 'invoker' end from functions
   union all
  select object, 'configuration', array_to_string(proconfig, ', ') from functions
   union all
  select object, 'behaviour',
         nullif(concat_ws(' ', case provolatile when 'i' then 'immutable' when 's' then 'stable' end,
                               case when proisstrict then 'strict' end, case when proleakproof then 'leakproof' end,
                               case proparallel when 's' then 'parallel safe' when 'r' then 'parallel restricted' end), '')
    from functions
   union all
  select object, 'body', coalesce(pg_get_function_sqlbody(oid), prosrc) from functions
)
select object, fact, value from facts where value is not null order by object collate "C", fact collate "C";
