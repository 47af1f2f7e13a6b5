import { createHash } from 'node:crypto'
import postgres from 'postgres'
import { agentsForUser } from '../src/agents/agents-for-user.ts'
import { createDatabase } from '../src/database.ts'
import { migrate } from '../src/migrate.ts'
import { readOptions } from './options.ts'
import { type Scratch, withScratch } from './scratch.ts'
import { median, ms, percentile, print, timed } from './statistics.ts'

/*
 * How long `agentsForUser` takes for one of a thousand, a hundred thousand and a million users, half of whom have a
 * prompt of their own; in turn with a bare `select 1` on the same connection, and the three databases by turns.
 */
const { calls, most } = readOptions('agents', { calls: 500, most: 1_000_000 })
const sizes = [1000, 100_000, 1_000_000].filter(size => size <= most)

await withScratch(
  async scratch => {
    const template = createDatabase(scratch.urlOf('agents'), { max: 2 })
    await migrate(template)
    await template.$client.end()
    const databases = []
    for (const users of sizes) {
      const name = `users_${users}`
      await scratch.clone(name, 'agents')
      await addUsers(scratch, name, users)
      const db = createDatabase(scratch.urlOf(name), { max: 1 })
      databases.push({ users, db, ours: [] as number[], bare: [] as number[] })
    }
    for (let call = -100; call < calls; call++) {
      for (const { users, db, ours, bare } of databases) {
        const user = idOf(1 + Math.floor(Math.random() * users))
        const time = await timed(() => agentsForUser(db, user))
        const floor = await timed(() => db.$client`select 1`)
        // The first hundred warm up.
        if (call < 0) continue
        ours.push(time)
        bare.push(floor)
      }
    }
    const rows = databases.map(({ users, ours, bare }) => [
      users.toLocaleString('en'),
      ...[median(ours), percentile(ours, 99), median(bare), percentile(bare, 99)].map(ms),
      `${(median(ours) / median(bare)).toFixed(1)} x`,
    ])
    const heading = ['users', 'median', 'p99', 'select 1, median', 'select 1, p99', 'beside select 1']
    print(`agentsForUser, ${calls} calls at each size`, [heading, ...rows])
    for (const { db } of databases) await db.$client.end()
  },
  { max_wal_size: '4GB', shared_buffers: '512MB' },
)

async function addUsers({ urlOf }: Scratch, database: string, users: number): Promise<void> {
  const sql = postgres(urlOf(database, 'superuser'), { max: 1, onnotice: () => {} })
  await sql`insert into public.llms (model_code, provider, display_name, status) values ('m', 'p', 'M', 'active')`
  await sql`insert into public.system_agents (agent_type, llm_id, status, config)
            select t, l.id, 'active', '{"prompt": "You are an agent.", "temperature": 0.2}'
              from public.llms l, unnest(array['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING']) t`
  // Past the triggers and the keys, which would take most of the time, and come to the same rows.
  await sql`set session_replication_role = replica`
  await sql`insert into auth.users (id, email)
            select md5(n::text)::uuid, n || '@example.test' from generate_series(1, ${users}::int) n`
  await sql`insert into public.profiles (id, username, settings)
            select md5(n::text)::uuid, 'user ' || n,
                   case n % 2 when 0 then '{"agent_prompts": {"TASK_EXECUTION": "Answer in rhymes."}}'::jsonb
                              else '{"agent_prompts": {}}' end
              from generate_series(1, ${users}::int) n`
  await sql`vacuum analyze`
  await sql`checkpoint`
  await sql.end()
}

/** As PostgreSQL makes it of the number: in no order. */
function idOf(n: number): string {
  return createHash('md5').update(String(n)).digest('hex')
}
