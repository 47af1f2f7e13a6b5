import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import { llms, systemAgents } from '../schema.ts'
import { recordset, type Wanted } from './plan.ts'

// Rows are written in the order of their keys, and only those that the plan found new or different; the comparison
// is made once more in the statement, for writers other than a seed.

/** Inserts or updates models. */
export async function writeModels(db: Database, models: readonly Wanted[]): Promise<void> {
  if (models.length === 0) return
  await query(
    db,
    sql`insert into ${llms} as stored (model_code, provider, display_name, status, config)
        select key, fields ->> 'provider', fields ->> 'display_name', fields ->> 'status', fields -> 'config'
          from ${recordset(models)}
         order by key collate "C"
            on conflict (model_code) do update
           set provider = excluded.provider, display_name = excluded.display_name, status = excluded.status,
               config = excluded.config, updated_at = now()
         where (stored.provider, stored.display_name, stored.status, stored.config)
               is distinct from (excluded.provider, excluded.display_name, excluded.status, excluded.config)`,
  )
}

/** Inserts or updates agents; a model that is gone by then fails on `llm_id`, which must not be null. */
export async function writeAgents(db: Database, agents: readonly Wanted[]): Promise<void> {
  if (agents.length === 0) return
  await query(
    db,
    sql`insert into ${systemAgents} as stored (agent_type, llm_id, status, config)
        select wanted.key, model.id, wanted.fields ->> 'status', wanted.fields -> 'config'
          from ${recordset(agents)}
          left join ${llms} model on model.model_code = wanted.fields ->> 'llm_model_code'
         order by wanted.key collate "C"
            on conflict (agent_type) do update
           set llm_id = excluded.llm_id, status = excluded.status, config = excluded.config, updated_at = now()
         where (stored.llm_id, stored.status, stored.config)
               is distinct from (excluded.llm_id, excluded.status, excluded.config)`,
  )
}

/** Deletes agents. */
export async function removeAgents(db: Database, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  await query(db, sql`delete from ${systemAgents} where agent_type in (${list(keys)})`)
}

/** Deletes those models that no agent needs, and gives their codes. */
export async function removeModels(db: Database, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return []
  const rows = await query<{ code: string }>(
    db,
    sql`delete from ${llms} model
         where model_code in (${list(keys)})
           and not exists (select from ${systemAgents} agent where agent.llm_id = model.id)
        returning model_code as code`,
  )
  return rows.map(({ code }) => code)
}

function list(keys: readonly string[]): SQL {
  return sql`select jsonb_array_elements_text(${JSON.stringify(keys)}::text::jsonb)`
}
