-- The statements with which pg_dump would make the objects of the schemas in $1, and our triggers on auth.users, as
-- PostgreSQL itself prints them: one a row, in the order to run them in. For a server without pg_dump.

with relations as (
  select c.*, format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = any ($1) and c.relkind in ('r', 'v')
), functions as (
  select p.*, p.oid::regprocedure::text as name
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = any ($1)
), owned as (
  select 'schema' as kind, quote_ident(nspname) as name, nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl
    from pg_namespace where nspname = any ($1) and nspname <> 'public'
   union all
  select 'table', name, relowner, coalesce(relacl, acldefault('r', relowner)) from relations
   union all
  select 'function', name, proowner, coalesce(proacl, acldefault('f', proowner)) from functions
), statements (step, statement) as (
  select 0, 'set check_function_bodies = off'
   union all
  select 1, 'create schema ' || name from owned where kind = 'schema'
   union all
  select 2, format('comment on schema %I is %L', nspname, obj_description(oid, 'pg_namespace'))
    from pg_namespace where nspname = any ($1) and nspname <> 'public'
   union all
  select 3, pg_get_functiondef(oid) from functions
   union all
  select 4, format('create table %s (%s)', r.name, string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                     case when a.attcollation <> t.typcollation then 'collate ' || a.attcollation::regcollation end,
                     'default ' || pg_get_expr(d.adbin, d.adrelid), case when a.attnotnull then 'not null' end), ', ' order by a.attnum))
    from relations r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where r.relkind = 'r'
   group by r.name
   union all
  select 5, format('create view %s%s as %s', name, ' with (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(oid))
    from relations where relkind = 'v'
   union all
  select case c.contype when 'f' then 8 else 6 end,
         format('alter table %s add constraint %I %s', r.name, c.conname, pg_get_constraintdef(c.oid))
    from relations r join pg_constraint c on c.conrelid = r.oid
   where c.contype not in ('n', 't')
   union all
  select 7, pg_get_indexdef(i.indexrelid)
    from relations r join pg_index i on i.indrelid = r.oid
   where not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.conrelid = r.oid)
   union all
  select 9, pg_get_triggerdef(t.oid)
    from pg_trigger t
   where not t.tgisinternal and (t.tgrelid in (select oid from relations) or t.tgfoid in (select oid from functions))
   union all
  select 10, format('alter table %s enable row level security', name) from relations where relrowsecurity
   union all
  select 11, format('create policy %I on %s as %s for %s to %s%s%s', p.polname, r.name,
                    case when p.polpermissive then 'permissive' else 'restrictive' end,
                    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
                    array_to_string(array(select a.rolname from pg_roles a where a.oid = any (p.polroles)), ', '),
                    ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    from relations r join pg_policy p on p.polrelid = r.oid
   union all
  select 12, format('alter %s %s owner to %I', kind, name, owner::regrole::text) from owned
   union all
  select 13, format('revoke all on %s %s from public, anon, authenticated, service_role, %s', kind, name, owner::regrole) from owned
   union all
  select 14, format('grant %s on %s %s to %s%s', a.privilege_type, o.kind, o.name,
                    case when a.grantee = 0 then 'public' else a.grantee::regrole::text end, case when a.is_grantable then ' with grant option' end)
    from owned o, aclexplode(o.acl) a
)
select statement from statements order by step, statement;
