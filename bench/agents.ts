import { createHash } from 'node:crypto'
import { agentsForUser, createDatabase } from '../src/index.ts'
import { alternate, printTimes, type Sizes } from './measure.ts'
import { migrateTo, type Scratch, using, withScratch } from './scratch.ts'

/** How long `agentsForUser` takes with more and more users, compared with `select 1` on the same connection. */
export default async function agents({ rounds = 500, users = 1_000_000 }: Sizes): Promise<void> {
  await withScratch(async scratch => {
    await scratch.clone('empty')
    await migrateTo(scratch.urlOf('empty'))
    const databases = []
    for (const size of [1000, 100_000, 1_000_000].filter(size => size <= users)) {
      const name = `users_${size}`
      await scratch.clone(name, 'empty')
      await addUsers(scratch, name, size)
      databases.push({ size, db: createDatabase(scratch.urlOf(name), { max: 1 }) })
    }
    const ways = databases.flatMap(({ size, db }) => [
      [`select 1, ${size.toLocaleString('en')} users`, () => db.$client`select 1`] as const,
      [
        `agentsForUser, ${size.toLocaleString('en')} users`,
        () => agentsForUser(db, idOf(1 + Math.floor(Math.random() * size))),
      ] as const,
    ])
    printTimes(
      `agentsForUser, ${rounds} calls at each size`,
      await alternate(Object.fromEntries(ways), rounds, { warmUp: 100 }),
    )
    for (const { db } of databases) await db.$client.end()
  })
}

/** Half of the users have changed a prompt. */
async function addUsers({ urlOf }: Scratch, database: string, users: number): Promise<void> {
  await using(urlOf(database, 'superuser'), async sql => {
    await sql`insert into public.llms (model_code, provider, display_name, status) values ('m', 'p', 'M', 'active')`
    await sql`insert into public.system_agents (agent_type, llm_id, status, config)
              select t, l.id, 'active', '{"prompt": "You are an agent.", "temperature": 0.2}'
                from public.llms l, unnest(array['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING']) t`
    // Without triggers and foreign keys, which would take most of the time and give the same rows.
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
  })
}

/** The id that `addUsers` gives to user `n`. */
function idOf(n: number): string {
  return createHash('md5').update(String(n)).digest('hex')
}
