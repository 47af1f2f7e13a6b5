import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { llms, systemAgents } from '../schema.ts'
import type { SeedAgent, SeedModel } from './entries.ts'

/** One column, or one setting within `config`, before and after; absent on the side that does not have it. */
export type FieldChange = { field: string; before?: Json; after?: Json }

/** A row of a file, as it is sent: its key, and the fields to compare. */
export type Wanted = { key: string; fields: JsonObject }

/** What became of the rows of one table, by their keys and in their order; in a dry run, what would become of them. */
export type TableReport = {
  created: string[]
  updated: { key: string; changes: FieldChange[] }[]
  unchanged: string[]
  /** In the database but not in the file, and left alone. */
  orphaned: string[]
  /** In the database but not in the file, and removed: by `prune` only. */
  removed: string[]
}

export const wantedModel = ({ model_code: key, ...fields }: SeedModel): Wanted => ({ key, fields })
export const wantedAgent = ({ agent_type: key, ...fields }: SeedAgent): Wanted => ({ key, fields })

/** Rows as one parameter. It travels as text: drivers encode a jsonb parameter each in their own way. */
export function recordset(rows: readonly Wanted[]): SQL {
  return sql`jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as wanted (key text, fields jsonb)`
}

/** Compares the models of the file with the table. */
export function planModels(db: Database, models: readonly SeedModel[]): Promise<TableReport> {
  return plan(
    db,
    models.map(wantedModel),
    sql`select model_code::text as key,
               jsonb_build_object('provider', provider, 'display_name', display_name, 'status', status,
                                  'config', config) as fields
          from ${llms}`,
  )
}

/** Compares the agents of the file with the table, a model being known by its code. */
export function planAgents(db: Database, agents: readonly SeedAgent[]): Promise<TableReport> {
  return plan(
    db,
    agents.map(wantedAgent),
    sql`select agent.agent_type::text as key,
               jsonb_build_object('llm_model_code', model.model_code, 'status', agent.status,
                                  'config', agent.config) as fields
          from ${systemAgents} agent join ${llms} model on model.id = agent.llm_id`,
  )
}

/** PostgreSQL decides what is different, so that equal means what it means to jsonb: `1` is `1.0`, order is nothing. */
async function plan(db: Database, wanted: readonly Wanted[], stored: SQL): Promise<TableReport> {
  const rows = await query<{ key: string; action: keyof TableReport; changes: string | null }>(
    db,
    sql`with stored as (${stored}),
        planned as (
          select coalesce(wanted.key, stored.key) as key,
                 case when stored.key is null then 'created'
                      when wanted.key is null then 'orphaned'
                      when wanted.fields is distinct from stored.fields then 'updated'
                      else 'unchanged'
                 end as action,
                 stored.fields as before,
                 wanted.fields as after
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
         order by key collate "C"`,
  )
  const report: TableReport = { created: [], updated: [], unchanged: [], orphaned: [], removed: [] }
  for (const { key, action, changes } of rows) {
    if (action === 'updated') report.updated.push({ key, changes: JSON.parse(changes ?? '[]') })
    else report[action].push(key)
  }
  return report
}

/** Fields with the settings in `config` beside them, as `config.temperature`. */
function flattened(fields: SQL): SQL {
  return sql`case jsonb_typeof(${fields} -> 'config') when 'object'
             then (${fields} - 'config') || coalesce((select jsonb_object_agg('config.' || key, value)
                                                        from jsonb_each(${fields} -> 'config')), '{}')
             else ${fields} end`
}
