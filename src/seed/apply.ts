import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import { llms, systemAgents } from '../schema.ts'
import { recordset, type Wanted } from './plan.ts'

type Keys = readonly string[]
type Rows = readonly Wanted[]

// Rows are written in the order of their keys. Each statement compares once more, for writers other than a seed.

export const writeModels = (models: Rows) => sql`
  insert into public.${llms} as stored (model_code, provider, display_name, status, config)
  select key, fields ->> 'provider', fields ->> 'display_name', fields ->> 'status', fields -> 'config'
    from ${recordset(models)}
   order by key collate "C"
      on conflict (model_code) do update
     set provider = excluded.provider, display_name = excluded.display_name, status = excluded.status,
         config = excluded.config, updated_at = now()
   where (stored.provider, stored.display_name, stored.status, stored.config)
         is distinct from (excluded.provider, excluded.display_name, excluded.status, excluded.config)`

/** Fails if a model is gone by now: `llm_id` must not be null. */
export const writeAgents = (agents: Rows) => sql`
  insert into public.${systemAgents} as stored (agent_type, llm_id, status, config)
  select wanted.key, model.id, wanted.fields ->> 'status', wanted.fields -> 'config'
    from ${recordset(agents)}
    left join public.${llms} model on model.model_code = wanted.fields ->> 'llm_model_code'
   order by wanted.key collate "C"
      on conflict (agent_type) do update
     set llm_id = excluded.llm_id, status = excluded.status, config = excluded.config, updated_at = now()
   where (stored.llm_id, stored.status, stored.config)
         is distinct from (excluded.llm_id, excluded.status, excluded.config)`

/** Waits for those who are giving these models to something, and lets nobody else begin. */
export const lockModels = (codes: Keys) => sql`
  select from public.${llms} where model_code in (${list(codes)}) order by model_code for update`

export const removeModels = (codes: Keys) => sql`
  delete from public.${llms} where model_code in (${list(codes)})`

export const removeAgents = (types: Keys) => sql`
  delete from public.${systemAgents} where agent_type in (${list(types)})`

/**
 * What needs each model, besides these agents: other agents, and rows of other tables. The archive has no foreign keys, so
 * columns count by their name too.
 */
export async function usersOfModels(db: Database, besides: Keys): Promise<Map<string, string>> {
  const columns = await query<{ relation: string; name: string }>(
    db,
    sql`select class.oid::regclass::text as relation, quote_ident(attribute.attname) as name
          from pg_catalog.pg_attribute attribute join pg_catalog.pg_class class on class.oid = attribute.attrelid
         where (attribute.attname = 'llm_id' and attribute.atttypid = 'uuid'::regtype and not attribute.attisdropped
                or (class.oid, array[attribute.attnum]) in (select conrelid, conkey from pg_catalog.pg_constraint
                                                            where confrelid = 'public.llms'::regclass))
           and class.relkind in ('r', 'p') and class.relpersistence <> 't'
           and (has_schema_privilege(class.relnamespace, 'usage') and has_table_privilege(class.oid, 'select')
                or class.relnamespace::regnamespace::text in ('public', 'archive'))
           and class.oid <> 'public.system_agents'::regclass`,
  )
  const uses = [
    sql`select llm_id, 'agent ' || to_json(agent_type)::text as name from public.${systemAgents}
         where agent_type not in (${list(besides)})`,
    // PostgreSQL has quoted these names.
    ...columns.map(
      ({ relation, name }) => sql`select ${sql.raw(name)}, ${relation} from ${sql.raw(relation)}`,
    ),
  ]
  const needed = sql`
    select model_code as code, min(name) as name
      from (${sql.join(uses, sql` union all `)}) use join public.${llms} on llms.id = use.llm_id
     group by model_code`
  const rows = await query<{ code: string; name: string }>(db, needed)
  return new Map(rows.map(({ code, name }) => [code, name]))
}

function list(keys: Keys): SQL {
  return sql`select jsonb_array_elements_text(${JSON.stringify(keys)}::text::jsonb)`
}
