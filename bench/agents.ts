import { createHash } from 'node:crypto'
import { agentsForUser, createDatabase } from '../src/index.ts'
import { alternate, type Options, ratio, tableOf } from './measure.ts'
import { migrateTo, type Scratch, using, withScratch } from './scratch.ts'

/** What `agentsForUser` asks. */
const bare = `
  select a.agent_type, a.config,
         case when jsonb_typeof(p.settings -> 'agent_prompts' -> a.agent_type::text) = 'string'
              then p.settings -> 'agent_prompts' ->> a.agent_type::text end as prompt,
         m.id, m.model_code, m.provider, m.display_name, m.config as model_config, m.status
    from public.system_agents a
    join public.llms m on m.id = a.llm_id
    left join public.profiles p on p.id = $1
   where a.status = 'active'
   order by a.agent_type`

/** How long `agentsForUser` takes with more and more users, beside the same SQL bare on the same driver. */
export default async function agents({ rounds = 500, users = 1_000_000, ...options }: Options) {
  return await withScratch(options, async scratch => {
    await scratch.clone('empty')
    await migrateTo(scratch.urlOf('empty'))
    const ways: Record<string, () => unknown> = {}
    const opened = []
    const sizes = [1000, 1_000_000].filter(size => size <= users)
    for (const size of sizes) {
      const name = `users_${size}`
      await scratch.clone(name, 'empty')
      await addUsers(scratch, name, size)
      for (const prepare of [true, false]) {
        const db = createDatabase(scratch.urlOf(name), { max: 1, prepare })
        opened.push(db)
        const suffix = `${prepare ? 'prepared' : 'unprepared'}, ${size.toLocaleString('en')} users`
        const anybody = () => idOf(1 + Math.floor(Math.random() * size))
        ways[`bare, ${suffix}`] = () => db.$client.unsafe(bare, [anybody()], { prepare })
        ways[`agentsForUser, ${suffix}`] = () => agentsForUser(db, anybody())
      }
    }
    const times = await alternate(ways, rounds, { warmUp: 100 })
    for (const db of opened) await db.$client.end()
    const [few, many] = [sizes[0], sizes.at(-1)].map(size => `${size?.toLocaleString('en')} users`)
    const beside = (kind: string) => ({
      what: `agentsForUser beside the same SQL bare, ${kind}`,
      found: ratio(times, `agentsForUser, ${kind}, ${many}`, `bare, ${kind}, ${many}`),
      limit: 1.5,
      unit: 'x' as const,
    })
    const growth = {
      what: `agentsForUser with ${many} beside ${few}`,
      found: ratio(times, `agentsForUser, prepared, ${many}`, `agentsForUser, prepared, ${few}`),
      limit: 1.5,
      unit: 'x' as const,
    }
    const goals = [beside('prepared'), beside('unprepared'), growth]
    return [{ title: `agentsForUser, ${rounds} calls at each size`, table: tableOf(times), goals }]
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
