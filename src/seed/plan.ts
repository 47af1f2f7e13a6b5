import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { llms, systemAgents } from '../schema.ts'

/** A column, or a setting within `config`, before and after; absent where there is none. */
export type FieldChange = { field: string; before?: Json; after?: Json }

/** What became of the rows of a table, by their keys and in that order; in a dry run, what would. */
export type TableReport = {
  created: string[]
  updated: { key: string; changes: FieldChange[] }[]
  unchanged: string[]
  /** In the database but not in the file: left alone, or removed by `prune`. */
  orphaned: string[]
  removed: string[]
}

/** A row of a file: its key, and the fields to compare. */
export type Wanted = { key: string; fields: JsonObject }

/** Rows as one parameter. It is text, because drivers encode jsonb differently. */
export function recordset(rows: readonly Wanted[]): SQL {
  return sql`jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as wanted (key text, fields jsonb)`
}

const stored = {
  llms: sql`
    select model_code::text as key,
           jsonb_build_object('provider', provider, 'display_name', display_name, 'status', status,
                              'config', config) as fields
      from public.${llms}`,
  agents: sql`
    select agent.agent_type::text as key,
           jsonb_build_object('llm_model_code', model.model_code, 'status', agent.status,
                              'config', agent.config) as fields
      from public.${systemAgents} agent join public.${llms} model on model.id = agent.llm_id`,
}

/** Compares rows with a table. PostgreSQL does, so that equal means what it means to jsonb: `1` is `1.0`. */
export async function plan(db: Database, table: keyof typeof stored, wanted: Wanted[]): Promise<TableReport> {
  const compare = sql`
    with stored as (${stored[table]}),
    planned as (
      select coalesce(wanted.key, stored.key) as key,
             case when stored.key is null then 'created'
                  when wanted.key is null then 'orphaned'
                  when wanted.fields is distinct from stored.fields then 'updated'
                  else 'unchanged'
             end as action,
             stored.fields as before, wanted.fields as after
        from ${recordset(wanted)} full join stored on stored.key = wanted.key
    )
    select key, action, case action when 'updated' then (
             select jsonb_agg(jsonb_build_object('field', coalesce(old.key, new.key))
                              || case when old.key is null then '{}' else jsonb_build_object('before', old.value) end
                              || case when new.key is null then '{}' else jsonb_build_object('after', new.value) end
                              order by coalesce(old.key, new.key))
               from jsonb_each(${flattened(sql`before`)}) old
               full join jsonb_each(${flattened(sql`after`)}) new on new.key = old.key
              where old.value is distinct from new.value
           )::text end as changes
      from planned
     order by key collate "C"`
  const rows = await query<{ key: string; action: keyof TableReport; changes: string }>(db, compare)
  const report: TableReport = { created: [], updated: [], unchanged: [], orphaned: [], removed: [] }
  for (const { key, action, changes } of rows) {
    if (action === 'updated') report.updated.push({ key, changes: JSON.parse(changes) })
    else report[action].push(key)
  }
  return report
}

/** Fields, with the settings of `config` beside them as `config.temperature`. */
function flattened(fields: SQL): SQL {
  return sql`case jsonb_typeof(${fields} -> 'config') when 'object'
             then (${fields} - 'config') || coalesce((select jsonb_object_agg('config.' || key, value)
                                                        from jsonb_each(${fields} -> 'config')), '{}')
             else ${fields} end`
}
