-- What somebody else has made that hangs on what is dropped or renamed, or would run with our rights.

with known (names) as materialized (
  -- What the migrations themselves make: {"table public.orders": ["column id", "index ix_orders"]}.
  select :known
), dropped as (
  select d.*, c.oid as relation, format('%I.%I', d.schema, d.name) as relation_name, coalesce(a.attnum, 0) as attnum,
         d.kind || ' ' || d.schema || '.' || d.name || coalesce('.' || d.sub, '') as dropped
    from jsonb_to_recordset(:dropped) as d (migration text, kind text, schema text, name text, sub text, cascade boolean)
    left join pg_catalog.pg_namespace n on n.nspname = d.schema
    left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = d.name and d.kind <> 'function'
    left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = d.sub and d.kind = 'column'
), goes as (
  select d.*, 'pg_class'::regclass::oid as classid, d.relation as objid
    from dropped d where d.kind in ('table', 'view', 'index', 'column') and d.relation is not null and (d.kind <> 'column' or d.attnum > 0)
   union all
  -- The type of its rows, and of arrays of them.
  select d.*, 'pg_type'::regclass, t.oid
    from dropped d join pg_catalog.pg_type t on t.typrelid = d.relation or t.typelem = (select reltype from pg_catalog.pg_class where oid = d.relation)
   where d.kind in ('table', 'view')
   union all
  select d.*, 'pg_constraint'::regclass, k.oid
    from dropped d join pg_catalog.pg_constraint k on k.conrelid = d.relation and k.conname = d.sub
   where d.kind = 'constraint'
   union all
  select d.*, 'pg_proc'::regclass, p.oid
    from dropped d join pg_catalog.pg_proc p on p.proname = d.name
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = d.schema
   where d.kind = 'function'
), dependents as (
  select distinct g.migration, g.dropped, g.cascade, g.attnum, d.classid, d.objid, d.deptype,
         coalesce(r.ev_class, k.conrelid, t.tgrelid, p.polrelid, i.indrelid, b.prrelid) as relation,
         case
           when r.oid is not null then (select case c.relkind when 'm' then 'materialized view' else 'view' end from pg_catalog.pg_class c where c.oid = r.ev_class)
           when k.oid is not null then 'constraint'
           when t.oid is not null then 'trigger'
           when p.oid is not null then 'policy'
           when i.indexrelid is not null then 'index'
           when b.oid is not null then 'publication'
           when f.oid is not null then 'function'
         end as kind,
         coalesce(k.conname, t.tgname, p.polname, (select c.relname from pg_catalog.pg_class c where c.oid = i.indexrelid),
                  (select u.pubname from pg_catalog.pg_publication u where u.oid = b.prpubid)) as name,
         case
           when i.indexrelid is not null then pg_get_indexdef(i.indexrelid)
           when t.oid is not null then pg_get_triggerdef(t.oid)
           when k.oid is not null then format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
           when b.oid is not null then format('alter publication %I add table %s', (select u.pubname from pg_catalog.pg_publication u where u.oid = b.prpubid), b.prrelid::regclass)
         end as definition,
         f.oid as function
    from goes g
    join pg_catalog.pg_depend d
      on d.refclassid = g.classid and d.refobjid = g.objid and (g.kind <> 'column' or d.refobjsubid = g.attnum) and d.deptype in ('n', 'a')
    left join pg_catalog.pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.ev_class is distinct from g.relation
    left join pg_catalog.pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.contype <> 'n'
    left join pg_catalog.pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid and not t.tgisinternal
    left join pg_catalog.pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
    left join pg_catalog.pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
    left join pg_catalog.pg_publication_rel b on d.classid = 'pg_publication_rel'::regclass and b.oid = d.objid
    left join pg_catalog.pg_proc f on d.classid = 'pg_proc'::regclass and f.oid = d.objid
), named as (
  select d.migration, d.dropped, d.deptype = 'n' and not d.cascade as blocks, d.definition,
         case when d.relation is null then null else format('%s %s', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, c.oid::regclass) end as owner,
         case
           when d.kind in ('view', 'materialized view') then format('%s %s', d.kind, c.oid::regclass)
           when d.kind = 'function' then 'function ' || d.function::regprocedure
           else d.kind || ' ' || d.name
         end as object,
         d.kind
    from dependents d
    left join pg_catalog.pg_class c on c.oid = d.relation
   where d.kind is not null
), bodies as (
  -- What a body says is only text; a table's name is enough, a column's counts beside its table's or in a trigger of it.
  select d.migration, d.dropped, p.oid::regprocedure::text as function
    from dropped d, pg_catalog.pg_proc p
    join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname in ('plpgsql', 'sql')
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    cross join lateral (select regexp_replace(p.prosrc, '--[^\n]*|/\*.*?\*/', '', 'g') as text) body
   where d.relation is not null
     and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
     and (d.kind in ('table', 'renamed table', 'view') and body.text ~ ('\m' || d.name || '\M')
          or d.kind = 'column' and body.text ~ ('\m' || d.sub || '\M')
             and (body.text ~ ('\m' || d.name || '\M')
                  or exists (select from pg_catalog.pg_trigger t where t.tgfoid = p.oid and t.tgrelid = d.relation)))
)
select migration, dropped,
       object || case when kind in ('view', 'materialized view') then '' else coalesce(' on ' || substring(owner from ' (\S+)$'), '') end as object,
       case when blocks then 'blocks' else 'is lost' end as effect, definition
  from named
 where kind in ('view', 'materialized view', 'function') and not (table known) ? object
    or kind not in ('view', 'materialized view', 'function')
       and not coalesce((table known) -> owner, '[]') ? object
 union
select migration, dropped, 'function ' || function, 'names it', null
  from bodies
 where not (table known) ? ('function ' || function)
 union
-- Columns that others have added.
select d.migration, d.dropped, 'column ' || a.attname || ' on ' || d.relation_name, 'would lose values',
       null
  from dropped d
  join pg_catalog.pg_attribute a on a.attrelid = d.relation and a.attnum > 0 and not a.attisdropped
 where d.kind in ('table', 'renamed table') and not coalesce((table known) -> ('table ' || d.relation_name), '[]') ? ('column ' || a.attname)
 union
select d.migration, d.dropped, what.object, 'is lost', what.definition
  from dropped d
  join pg_catalog.pg_class c on c.oid = d.relation and c.relkind in ('r', 'p')
  cross join lateral (
    select 'replica identity of ' || d.relation_name, format('alter table %s replica identity %s', d.relation_name, case c.relreplident when 'f' then 'full' when 'n' then 'nothing' else '...' end)
     where c.relreplident <> 'd'
     union all
    select 'storage options of ' || d.relation_name, format('alter table %s set (%s)', d.relation_name, array_to_string(c.reloptions, ', '))
     where c.reloptions is not null
     union all
    select 'comment on ' || case when s.objsubid = 0 then 'table ' || d.relation_name else format('column %s.%I', d.relation_name, a.attname) end,
           format('comment on %s is %L', case when s.objsubid = 0 then 'table ' || d.relation_name else format('column %s.%I', d.relation_name, a.attname) end, s.description)
      from pg_catalog.pg_description s
      left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = s.objsubid and s.objsubid > 0
     where s.classoid = 'pg_class'::regclass and s.objoid = c.oid
  ) as what (object, definition)
 where d.kind = 'table'
 union
-- Scripts run with the search_path `public`. There, an operator or a function that fits better is taken before PostgreSQL's own.
select '', r.rolname::text, what.object, 'would run as us', null
  from (select 'operator ' || o.oid::regoperator as object, 'pg_operator'::regclass as classid, o.oid, o.oprowner as owner
          from pg_catalog.pg_operator o
         where o.oprnamespace = to_regnamespace('public')
         union all
        select 'function ' || p.oid::regprocedure, 'pg_proc'::regclass, p.oid, p.proowner
          from pg_catalog.pg_proc p
         where p.pronamespace = to_regnamespace('public')
           and exists (select from pg_catalog.pg_proc c where c.pronamespace = 'pg_catalog'::regnamespace and c.proname = p.proname)) what
  join pg_catalog.pg_roles r on r.oid = what.owner
 where not r.rolsuper
   and r.rolname <> current_user
   and r.oid <> (select datdba from pg_catalog.pg_database where datname = current_database())
   and not exists (select from pg_catalog.pg_depend e where e.classid = what.classid and e.objid = what.oid and e.deptype = 'e')
 order by 1, 4, 3
