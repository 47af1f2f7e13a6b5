import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'

/** A table or a view: an object and no mere name, so that what is known of it outlives a renaming. */
export interface Relation {
  name: string
  /** As last analysed; null where unknown. */
  rows: number | null
  indexes: string[]
  /** The functions that its triggers call. */
  triggers: string[]
  /** What a view is made of. */
  reads: Relation[]
  /** Its foreign keys; `names` are a key's own and its columns', none where the text does not tell. */
  keys: { to: Relation; names: string[] }[]
}

/** What tells which tables a statement locks beside those it names. */
export interface Relations {
  tables: Relation[]
  /** What each function does, overloads together. */
  bodies: Map<string, string>
}

/** The relation of that name; one that nothing was known of is known from now on. */
export function relationCalled(tables: Relation[], name: string): Relation {
  const known = tables.find(table => table.name === name)
  if (known) return known
  const table = { name, rows: null, indexes: [], triggers: [], reads: [], keys: [] }
  tables.push(table)
  return table
}

/** Reads the catalogs and nothing else: no right on any table is needed. */
export async function readRelations(db: Database): Promise<Relations> {
  const found = await query<
    Record<'name' | 'indexes' | 'triggers' | 'reads' | 'keys', string> & { rows: number }
  >(
    db,
    sql`
      with named as (
        select c.*, lower(concat(n.nspname, '.', regexp_replace(c.relname, '[^A-Za-z0-9_]', '_', 'g'))) as name
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      )
      select t.name,
             case when t.reltuples >= 0 and t.relkind <> 'v' then t.reltuples::float8 end as rows,
             (select coalesce(string_agg(i.name, ' '), '')
                from pg_catalog.pg_index x
                join named i on i.oid = x.indexrelid
               where x.indrelid = t.oid) as indexes,
             (select coalesce(string_agg(lower(concat(n.nspname, '.', p.proname)), ' '), '')
                from pg_catalog.pg_trigger g
                join pg_catalog.pg_proc p on p.oid = g.tgfoid
                join pg_catalog.pg_namespace n on n.oid = p.pronamespace
               where g.tgrelid = t.oid and not g.tgisinternal) as triggers,
             (select coalesce(string_agg(distinct o.name, ' '), '')
                from pg_catalog.pg_rewrite r
                join pg_catalog.pg_depend d on d.objid = r.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
                join named o on o.oid = d.refobjid and o.oid <> t.oid
               where r.ev_class = t.oid) as reads,
             (select coalesce(string_agg(concat_ws(' ', r.name, lower(k.conname), lower(k.columns)), e'\n'), '')
                from (select *, (select string_agg(a.attname, ' ')
                                   from pg_catalog.pg_attribute a
                                  where a.attrelid = conrelid and a.attnum = any (conkey)) as columns
                        from pg_catalog.pg_constraint) k
                join named r on r.oid = k.confrelid
               where k.conrelid = t.oid) as keys
        from named t
       where t.relkind in ('r', 'p', 'v', 'm', 'f')`,
  )
  const tables: Relation[] = []
  const list = (text: string, separator = ' ') => text.split(separator).filter(Boolean)
  for (const { name, rows, indexes, triggers, reads, keys } of found) {
    Object.assign(relationCalled(tables, name), {
      rows,
      indexes: list(indexes),
      triggers: list(triggers),
      reads: list(reads).map(other => relationCalled(tables, other)),
      keys: list(keys, '\n').map(key => {
        const [to = '', ...names] = key.split(' ')
        return { to: relationCalled(tables, to), names }
      }),
    })
  }
  const functions = await query<{ name: string; body: string }>(
    db,
    sql`select lower(concat(n.nspname, '.', p.proname)) as name,
               string_agg(coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), ';') as body
          from pg_catalog.pg_proc p
          join pg_catalog.pg_namespace n on n.oid = p.pronamespace
          join pg_catalog.pg_language l on l.oid = p.prolang
         where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and l.lanname in ('sql', 'plpgsql')
         group by 1`,
  )
  return { tables, bodies: new Map(functions.map(({ name, body }) => [name, body])) }
}
