import { signUp, type TestDatabase } from './database.ts'
import { type CommitPoint, hasReached } from './migrations.ts'
import { addMemory, addModel } from './rows.ts'

/** Every table and view of ours that the database has. */
export async function relationsIn({ admin }: TestDatabase) {
  const rows = await admin<{ name: string; kind: string }[]>`
    select n.nspname || '.' || c.relname as name, c.relkind as kind
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('public', 'archive') and c.relkind in ('r', 'p', 'v', 'm', 'f')
     order by 1`
  const all = rows.map(({ name }) => name)
  return {
    all,
    /** Those in `public`, and those of them that are tables. */
    open: all.filter(name => name.startsWith('public.')),
    tables: rows
      .filter(({ name, kind }) => name.startsWith('public.') && kind !== 'v')
      .map(({ name }) => name),
  }
}

/** Rows for every table, as the first migrations leave them: two users with agents and memories. */
export async function populate({ sql, admin }: TestDatabase): Promise<void> {
  const llm = await addModel(sql)
  await sql`
    insert into public.user_agent_catalog (agent_type, llm_id, status)
    select unnest(array['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING', 'FOURTH']), ${llm}, 'active'`
  for (const settings of ['{}', '[]']) {
    const user = await signUp(admin)
    await sql`update public.profiles set settings = ${settings}::text::jsonb where id = ${user}`
    await addMemory(sql, user)
    await sql`
      insert into public.memories (user_id, agent_id, memory_type, content, status)
      select user_id, id, 'work', 'of work', 'active' from public.user_agents where user_id = ${user}`
  }
}

/** Rows for the tables that are empty at this commit point: a newcomer's, and those that a migration would archive. */
export async function topUp({ sql, admin }: TestDatabase, point: CommitPoint): Promise<void> {
  const user = await signUp(admin)
  if (!hasReached(point, 'serve_both_applications')) return
  await addMemory(sql, user, 'work')
  await sql`
    insert into archive.profile_settings (profile_id, settings)
    select id, settings from public.profiles where jsonb_typeof(settings) <> 'object'
    on conflict do nothing`
  await sql`
    insert into archive.system_agents (id, agent_type, llm_id, config, status, created_at, updated_at)
    select gen_random_uuid(), 'PARKED', id, '{}', 'active', now(), now() from public.llms
     where not exists (select from archive.system_agents)`
}
