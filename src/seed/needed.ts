import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import { llms } from '../schema.ts'

/**
 * The models that rows other than system agents need, by their codes, each with a table that needs it. What is in
 * the archive has no foreign key to models, but without its model it could not be given back. A table of others that
 * this role may not read is left to its foreign key.
 */
export async function neededElsewhere(db: Database): Promise<Map<string, string>> {
  const tables = await query<{ name: string }>(
    db,
    sql`select class.oid::regclass::text as name
          from pg_catalog.pg_attribute attribute join pg_catalog.pg_class class on class.oid = attribute.attrelid
         where attribute.attname = 'llm_id' and attribute.atttypid = 'uuid'::regtype and not attribute.attisdropped
           and class.relkind in ('r', 'p') and class.relpersistence <> 't'
           and (has_schema_privilege(class.relnamespace, 'usage') and has_table_privilege(class.oid, 'select')
                or class.relnamespace::regnamespace::text in ('public', 'archive'))
           and class.oid <> 'system_agents'::regclass`,
  )
  if (tables.length === 0) return new Map()
  // PostgreSQL has quoted the names where that is called for.
  const uses = tables.map(({ name }) => sql`select llm_id, ${name}::text as name from ${sql.raw(name)}`)
  const rows = await query<{ code: string; name: string }>(
    db,
    sql`select model_code as code, min(name) as name
          from (${sql.join(uses, sql` union all `)}) use join ${llms} on llms.id = use.llm_id
         group by model_code`,
  )
  return new Map(rows.map(({ code, name }) => [code, name]))
}
