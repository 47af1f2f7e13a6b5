import { sql as raw } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Database } from '../../src/database.ts'

export const AGENT_TYPES = ['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING'] as const

/** Settings that old profiles may have, as JSON text: JavaScript cannot tell 1.0 from 1. */
export const ODD_SETTINGS = [
  '{}',
  '{"theme": 1.0}',
  '{"theme": "dark", "agent_prompts": {}}',
  '{"agent_prompts": {}}',
  '{"agent_prompts": {"TASK_EXECUTION": "x"}}',
  '{"agent_prompts": null}',
  '{"agent_prompts": null, "theme": "dark"}',
  '{"agent_prompts": "text"}',
  '{"agent_prompts": [1]}',
  '{"agent_prompts": []}',
  '{"agent_prompts": 7}',
  '{"agent_prompts": false}',
  'null',
  '0',
  '1.50',
  '"text"',
  '""',
  '"agent_prompts"',
  'true',
  '[]',
  '[1, 2.0]',
  '["agent_prompts"]',
  '[{"agent_prompts": {}}]',
  // Strings that hold an object, as some drivers have written them, and one that holds none.
  String.raw`"{\"theme\": \"dark\"}"`,
  String.raw`"{\"agent_prompts\": {\"TASK_EXECUTION\": \"mine\"}}"`,
  String.raw`"{\"broken\": \"\\u0000\"}"`,
  '{"nested": {"agent_prompts": {"deep": [null, {"é\\u2028😀": 1e400}]}}}',
]

/** The least and the greatest id. */
const NIL = '00000000-0000-0000-0000-000000000000'
const MAX = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

export type Rows = Record<string, string[]>

/** Every row of `public` and of `auth.users` as text, the columns in the order of their names; sorted. */
export async function readRows(sql: postgres.Sql, schemas = ['public', 'auth']): Promise<Rows> {
  return await sql.begin(async tx => {
    await tx`select set_config('timezone', 'UTC', true)`
    const tables = await tx<{ name: string; columns: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name,
             string_agg(quote_ident(a.attname), ', ' order by a.attname collate "C") as columns
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where n.nspname = any (${schemas}) and c.relkind = 'r'
       group by n.nspname, c.relname`
    const rows: Rows = {}
    for (const { name, columns } of tables) {
      const found = await tx.unsafe(`select row(${columns})::text as row from ${name}`)
      rows[name] = found.map(({ row }) => row).sort()
    }
    return rows
  })
}

/** The ledger whole, as it is: what was recorded when, and under which number. */
export async function readLedger(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`select to_jsonb(m)::text as row from drizzle.__drizzle_migrations m order by name`
  return rows.map(({ row }) => row)
}

/** What the ledger says is applied, in the order it was recorded. */
export async function ledgerNames({ admin }: { admin: postgres.Sql }): Promise<string[]> {
  return (await admin`select name from drizzle.__drizzle_migrations order by id`).map(({ name }) => name)
}

/** Whether there is a ledger, and a schema for it. */
export async function placeOfLedger(
  db: Database,
): Promise<{ schema: string | null; ledger: string | null }[]> {
  return await db.execute(
    raw`select to_regnamespace('drizzle')::text as schema, to_regclass('drizzle.__drizzle_migrations')::text as ledger`,
    'objects',
  )
}

/** A model, made in a few words; its id. */
export async function addModel(sql: postgres.ISql, code = 'model'): Promise<string> {
  const [made] = await sql`
    insert into public.llms (model_code, provider, display_name, status)
    values (${code}, 'provider', ${code}, 'active') returning id`
  return made?.id
}

/** A memory as the new application writes it, without an agent; its id. */
export async function addMemory(
  sql: postgres.ISql,
  user: string,
  type = 'user',
  content = 'content',
): Promise<string> {
  const [made] = await sql`
    insert into public.memories (user_id, memory_type, content, status)
    values (${user}, ${type}, ${content}, 'active') returning id`
  return made?.id
}

/** An agent of a type that the old schema does not know: on the way down it waits in the archive. */
export async function addAgentOfNewType(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into public.system_agents (agent_type, llm_id, status) values ('PLANNING', ${await addModel(sql)}, 'active')`
}

/** Two models, and in the baseline's catalog the three types of agents it knows. */
export async function addCatalog(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into public.llms (id, model_code, provider, display_name, config, status, created_at, updated_at)
    select md5('model ' || n)::uuid, 'model-' || n, 'provider', 'Model ' || n, '{"temperature": 1.0}', 'active',
           timestamptz '2024-02-29 23:59:59.999999+00' + n * interval '1 day', '-infinity'
      from generate_series(1, 2) n`
  await sql`
    insert into public.user_agent_catalog (agent_type, llm_id, config, status, created_at, updated_at)
    select t.agent_type, md5('model 1')::uuid, jsonb_build_object('prompt', 'You are ' || t.agent_type, 'top_p', 0.90),
           case t.position when 3 then 'inactive' else 'active' end,
           '2025-01-01 00:00:00.000001+00', '2025-06-01 12:00:00+02'
      from unnest(${[...AGENT_TYPES]}::text[]) with ordinality as t (agent_type, position)`
}

/**
 * Fills a baseline as years of use would: users from before the catalog and after, agents edited in every way,
 * memories of which each second is work, settings of every kind.
 */
export async function fill(admin: postgres.Sql, counts: { users: number; memories: number }): Promise<void> {
  const { users, memories } = counts
  const early = Math.ceil(users / 50)
  const idOf = (what: string) => admin`
    case n when 3 then ${NIL} when 4 then ${MAX} else md5(${what} || ' ' || n) end::uuid`
  const signUp = (from: number, to: number) => admin`
    insert into auth.users (id, email, created_at)
    select ${idOf('user')}, 'user' || n || '@example.test', timestamptz '2024-01-01 00:00+00' + n * interval '1 hour'
      from generate_series(${from}::int, ${to}::int) n`
  await signUp(1, early)
  await addCatalog(admin)
  await signUp(early + 1, users)
  await editAgents(admin)
  await admin`
    with numbered as (
      select id, row_number() over (order by email) as no from auth.users
    ), agents as (
      select id, row_number() over (order by user_id, agent_type) as no from public.user_agents
    )
    insert into public.memories (id, user_id, agent_id, memory_type, content, status, created_at, updated_at)
    select ${idOf('memory')}, u.id,
           case n % 2 when 0 then coalesce(own.id, other.id) end,
           case n % 2 when 0 then 'work' else 'user' end,
           'content ' || n || case n % 97 when 0 then e' with \t"odd", (characters) \\ and 😀\n' else '' end,
           case n % 5 when 0 then '' when 1 then 'archived' else 'active' end,
           case n % 101 when 0 then '-infinity' else timestamptz '2025-01-01 00:00+00' + n * interval '1.000001 s' end,
           case n % 103 when 0 then 'infinity' else timestamptz '2025-02-01 00:00+00' - n * interval '1.000001 s' end
      from generate_series(1, ${memories}::int) n
      join numbered u on u.no = n / 2 % ${users}::int + 1
      join agents other on other.no = n * 7 % (select count(*) from agents) + 1
      left join public.user_agents own
        on own.user_id = u.id and n % 14 <> 0
       and own.agent_type = case n % 10 when 0 then 'RESULT_REPORTING' else 'TASK_EXECUTION' end`
  await admin`
    with numbered as (
      select id, row_number() over (order by id) as no from public.profiles
    )
    update public.profiles p
       set settings = ${`[${ODD_SETTINGS.join(', ')}]`}::text::jsonb -> (n.no % ${ODD_SETTINGS.length}::int)::int,
           bio      = case n.no % 3 when 0 then 'bio ' || n.no end
      from numbered n
     where n.id = p.id`
}

async function editAgents(admin: postgres.Sql): Promise<void> {
  await admin`
    with numbered as (
      select id, row_number() over (order by user_id, agent_type) as no,
             lag(user_id, 4) over (order by user_id, agent_type) as another
        from public.user_agents
    )
    update public.user_agents a
       set config     = case n.no % 7  when 0 then '{"prompt": "my own", "top_p": 1.00}' when 1 then 'null' when 2 then '[1.0]'
                                       else a.config end,
           llm_id     = case n.no % 5  when 0 then md5('model 2')::uuid else a.llm_id end,
           status     = case n.no % 13 when 0 then 'inactive' when 1 then '' else a.status end,
           created_by = case n.no % 8  when 0 then null when 1 then n.another else a.created_by end,
           updated_by = case n.no % 9  when 0 then null when 1 then n.another else a.updated_by end,
           created_at = case n.no % 16 when 0 then '-infinity' when 1 then '4713-01-01 00:00:00.000001 BC' else a.created_at end,
           updated_at = case n.no % 17 when 0 then '294276-12-31 23:59:59.999999+00' else a.updated_at end,
           deleted_at = case n.no % 11 when 0 then 'infinity' when 1 then timestamptz '2025-03-30 01:59:59.999999+00' end
      from numbered n
     where n.id = a.id`
  for (const [id, order] of [
    [NIL, 'asc'],
    [MAX, 'desc'],
  ] as const)
    await admin.unsafe(`
      update public.user_agents set id = '${id}'
       where id = (select id from public.user_agents order by id ${order} limit 1)`)
  // Some lost an agent, some all of them.
  await admin`
    delete from public.user_agents
     where left(user_id::text, 1) = 'f' and agent_type = 'INTENT_RECOGNITION'
        or left(user_id::text, 2) in ('00', '01', '02', '03')`
}
