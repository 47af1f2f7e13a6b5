import { signUp, type TestDatabase } from './database.ts'
import { type CommitPoint, hasReached } from './migrations.ts'

const archive = ['memory_agents', 'profile_settings', 'profiles', 'system_agents', 'user_agents']

/** What we have in `public` and `archive` at a commit point. */
export function relationsAt(point: CommitPoint): { tables: string[]; views: string[]; archived: string[] } {
  const contracted = hasReached(point, 'rename_the_catalog_and_drop_user_agents')
  const expanded = hasReached(point, 'serve_both_applications')
  const tables = contracted
    ? ['llms', 'memories', 'profiles', 'system_agents']
    : ['llms', 'memories', 'profiles', 'user_agent_catalog', 'user_agents']
  return {
    tables: tables.map(name => `public.${name}`),
    views: expanded && !contracted ? ['public.system_agents'] : [],
    archived: (expanded ? archive : point.way === 'down' ? ['system_agents'] : []).map(
      name => `archive.${name}`,
    ),
  }
}

/** Every table and view of ours that the database has. */
export async function relationsIn({ sql }: TestDatabase): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select n.nspname || '.' || c.relname as name
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('public', 'archive') and c.relkind in ('r', 'p', 'v', 'm', 'f')
     order by 1`
  return rows.map(row => row.name)
}

/** Rows for every table, as the first migrations leave them: two users with agents and memories. */
export async function populate({ sql, admin }: TestDatabase): Promise<void> {
  const [llm] = await sql`
    insert into public.llms (model_code, provider, display_name, status)
    values ('model', 'provider', 'Model', 'active')
    returning id`
  await sql`
    insert into public.user_agent_catalog (agent_type, llm_id, status)
    select unnest(array['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING', 'FOURTH']), ${llm?.id}, 'active'`
  for (const settings of ['{}', '[]']) {
    const user = await signUp(admin)
    await sql`update public.profiles set settings = ${settings}::text::jsonb where id = ${user}`
    await sql`
      insert into public.memories (user_id, agent_id, memory_type, content, status)
      select user_id, id, 'work', 'of work', 'active' from public.user_agents where user_id = ${user}
      union all
      select ${user}, null, 'user', 'of the user', 'active'`
  }
}

/** Rows for the tables that are empty at this commit point: a newcomer's, and those that a step would archive. */
export async function topUp({ sql, admin }: TestDatabase, point: CommitPoint): Promise<void> {
  const user = await signUp(admin)
  if (!hasReached(point, 'serve_both_applications')) return
  await sql`
    insert into public.memories (user_id, memory_type, content, status)
    values (${user}, 'work', 'of a newcomer', 'active')`
  await sql`
    insert into archive.profile_settings (profile_id, settings)
    select id, settings from public.profiles where jsonb_typeof(settings) <> 'object'
    on conflict do nothing`
  await sql`
    insert into archive.system_agents (id, agent_type, llm_id, config, status, created_at, updated_at)
    select gen_random_uuid(), 'PARKED', id, '{}', 'active', now(), now() from public.llms
     where not exists (select from archive.system_agents)`
}
