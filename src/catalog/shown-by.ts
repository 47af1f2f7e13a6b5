import { nameOf } from './files.ts'

/** How PostgreSQL looks a name up, unless as a relation's. */
const aliases: Record<string, string> = {
  function: 'regprocedure',
  procedure: 'regprocedure',
  schema: 'regnamespace',
  role: 'regrole',
}

/** A query over PostgreSQL's own catalogs that shows what an object, or one fact of it, is. */
export function sqlThatShows(object: string, fact: string | null): string {
  const name = nameOf(object)
  const kind = object.slice(0, -name.length - 1)
  const is = aliases[kind] ?? 'regclass'
  const oid = `${quote(name)}::${is}`
  if (fact === null) {
    return is === 'regclass'
      ? `select oid::regclass, relkind from pg_class where oid = to_regclass(${quote(name)});`
      : `select to_${is}(${quote(name)});`
  }

  switch (fact.startsWith('grants on column ') ? 'column' : fact.split(' ')[0]) {
    case 'column':
      return `select attname, format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid), attacl, exists (select from pg_constraint where conrelid = attrelid and contype = 'n' and conkey = array[attnum] and not convalidated) from pg_attribute left join pg_attrdef on (adrelid, adnum) = (attrelid, attnum) where attrelid = ${oid} and attnum > 0 and not attisdropped;`
    case 'constraint':
      return `select conname, pg_get_constraintdef(oid), array(select tgenabled from pg_trigger where tgconstraint = c.oid), indisvalid, indisready, indislive from pg_constraint c left join pg_index on indexrelid = conindid where conrelid = ${oid};`
    case 'index':
      return `select pg_get_indexdef(indexrelid), indisvalid, indisready, indislive from pg_index where indrelid = ${oid};`
    case 'policy':
      return `select polname, polpermissive, polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) from pg_policy where polrelid = ${oid};`
    case 'trigger':
      return `select pg_get_triggerdef(oid), tgenabled from pg_trigger where tgrelid = ${oid} and not tgisinternal;`
    case 'view':
      return `select oid::regclass, relowner::regrole, relacl, reloptions from pg_class where oid = to_regclass(${quote(nameOf(fact))});`
    case 'inheritance':
      return `select inhrelid::regclass, inhparent::regclass from pg_inherits where ${oid} in (inhrelid, inhparent);`
    case 'rule':
      return `select pg_get_ruledef(oid), ev_enabled from pg_rewrite where ev_class = ${oid};`
  }
  if (is === 'regprocedure')
    return `select pg_get_functiondef(oid), proowner::regrole, proacl from pg_proc where oid = ${oid};`
  if (is === 'regnamespace')
    return `select nspowner::regrole, nspacl, obj_description(oid, 'pg_namespace') from pg_namespace where oid = ${oid};`
  if (is === 'regrole')
    return `select rolsuper, rolbypassrls, rolcreaterole, rolreplication, array(select roleid::regrole from pg_auth_members where member = r.oid) from pg_roles r where oid = ${oid};`
  if (fact === 'definition') return `select pg_get_viewdef(${oid});`
  return `select relowner::regrole, relacl, relrowsecurity, relforcerowsecurity, relpersistence, relreplident, reloptions from pg_class where oid = ${oid};`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
