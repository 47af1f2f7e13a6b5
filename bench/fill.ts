import postgres from 'postgres'
import { createDatabase } from '../src/database.ts'
import { migrate } from '../src/migrate.ts'
import type { Scratch } from './scratch.ts'

/** The state that the older deployment left. */
export const baseline = 'secure_the_agent_tables'

/** Makes a baseline database of `users` users with three agents and five memories each, two of them 'work'. */
export async function makeBaseline({ clone, urlOf }: Scratch, name: string, users: number): Promise<void> {
  await clone(name, 'template1')
  const db = createDatabase(urlOf(name), { max: 2 })
  await migrate(db, { to: baseline })
  await db.$client.end()
  const sql = postgres(urlOf(name, 'superuser'), { onnotice: () => {}, max: 1 })
  await sql`insert into public.llms (model_code, provider, display_name, status) values ('m', 'p', 'M', 'active')`
  await sql`insert into public.user_agent_catalog (agent_type, llm_id, status, config)
            select t, l.id, 'active', '{"prompt": "You are an agent."}'
              from public.llms l, unnest(array['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING']) t`
  await sql`insert into auth.users (id, email)
            select gen_random_uuid(), 'u' || n || '@example.test' from generate_series(1, ${users}) n`
  await sql`insert into public.memories (user_id, agent_id, memory_type, content, status)
            select a.user_id, case when n % 2 = 0 then a.id end, case when n % 2 = 0 then 'work' else 'user' end,
                   'What was said in conversation ' || n, 'active'
              from public.user_agents a, generate_series(1, 5) n
             where a.agent_type = 'TASK_EXECUTION'`
  await sql`create schema elsewhere`
  await sql`create table elsewhere.notes (at timestamptz not null default now())`
  await sql`vacuum analyze`
  await sql`checkpoint`
  await sql.end()
}
