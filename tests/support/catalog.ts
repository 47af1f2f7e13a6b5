import type postgres from 'postgres'

export interface CatalogOptions {
  /** Describe the schema `archive` too. */
  archive?: boolean
}

/**
 * What PostgreSQL's own catalogs say of our schemas, and of the triggers on `auth.users`: one fact a line, sorted.
 * Says nothing of owners, of the position of columns, nor of what differs between versions of PostgreSQL.
 */
export async function readCatalog(sql: postgres.Sql, options: CatalogOptions = {}): Promise<string[]> {
  const schemas = options.archive ? ['public', 'archive'] : ['public']
  return await sql.begin(async tx => {
    // Nothing is visible by its bare name, so every name comes out qualified.
    await tx`select set_config('search_path', '', true)`
    const rows = await tx<{ fact: string }[]>`
      with relations as (
        select c.*, format('%I.%I', n.nspname, c.relname) as name, n.nspname
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = any (${schemas}) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      ), functions as (
        select p.*, p.oid::regprocedure::text as name
          from pg_catalog.pg_proc p
          join pg_catalog.pg_namespace n on n.oid = p.pronamespace
         where n.nspname = any (${schemas}) and p.prokind in ('f', 'p')
      ), grants as (
        select 'schema ' || n.nspname as object, n.nspowner as owner, null::name as column_name, acl.*
          from pg_catalog.pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) acl
         where n.nspname = 'archive' and n.nspname = any (${schemas})
        union all
        select 'table ' || r.name, r.relowner, null, acl.*
          from relations r, aclexplode(coalesce(r.relacl, acldefault('r', r.relowner))) acl
        union all
        select 'table ' || r.name, r.relowner, a.attname, acl.*
          from relations r
          join pg_catalog.pg_attribute a on a.attrelid = r.oid, aclexplode(a.attacl) acl
        union all
        select 'function ' || f.name, f.proowner, null, acl.*
          from functions f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) acl
      ), facts as (
        select format('schema %s: %s', nspname, obj_description(oid, 'pg_namespace')) as fact
          from pg_catalog.pg_namespace
         where nspname = 'archive' and nspname = any (${schemas})
        union all
        select format('relation %s: kind %s, row security %s, forced %s, options %s',
                      name, relkind, relrowsecurity, relforcerowsecurity, reloptions)
          from relations
        union all
        select format('view %s: %s', name, pg_get_viewdef(oid)) from relations where relkind in ('v', 'm')
        union all
        select format('column %s.%I: %s%s%s', r.name, a.attname, format_type(a.atttypid, a.atttypmod),
                      case when a.attnotnull then ' not null' end,
                      ' default ' || pg_get_expr(d.adbin, d.adrelid))
          from relations r
          join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
          left join pg_catalog.pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
        union all
        -- PostgreSQL 18 has a constraint for every "not null"; the column says it already.
        select format('constraint %s.%I: %s, validated %s', r.name, c.conname, pg_get_constraintdef(c.oid), c.convalidated)
          from relations r
          join pg_catalog.pg_constraint c on c.conrelid = r.oid
         where c.contype <> 'n'
        union all
        select format('index %s: %s, valid %s', i.indexrelid::regclass, pg_get_indexdef(i.indexrelid), i.indisvalid)
          from relations r
          join pg_catalog.pg_index i on i.indrelid = r.oid
        union all
        select format('function %s: %s', name, pg_get_functiondef(oid)) from functions
        union all
        select format('trigger %s.%I: %s, enabled %s', t.tgrelid::regclass, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled)
          from pg_catalog.pg_trigger t
         where not t.tgisinternal
           and (t.tgrelid in (select oid from relations) or t.tgrelid = to_regclass('auth.users'))
        union all
        select format('policy %s.%I: %s for %s to %s using %s check %s', r.name, p.polname,
                      case when p.polpermissive then 'permissive' else 'restrictive' end, p.polcmd,
                      array(select coalesce(a.rolname, 'public')
                              from unnest(p.polroles) role left join pg_catalog.pg_roles a on a.oid = role order by 1),
                      pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
          from relations r
          join pg_catalog.pg_policy p on p.polrelid = r.oid
        union all
        -- PostgreSQL 17 brought MAINTAIN.
        select format('grant on %s%s: %s to %s%s', g.object, ' (' || g.column_name || ')', g.privilege_type,
                      case when g.grantee = g.owner then 'the owner' when g.grantee = 0 then 'public' else g.grantee::regrole::text end,
                      case when g.is_grantable then ' with grant option' end)
          from grants g
         where g.privilege_type <> 'MAINTAIN'
      )
      select fact from facts order by fact collate "C"`
    return rows.map(({ fact }) => fact.replaceAll('\n', '\\n'))
  })
}
