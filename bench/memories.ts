import { createDatabase, listMemories } from '../src/index.ts'
import { alternate, type Options, ratio, tableOf } from './measure.ts'
import { migrateTo, type Scratch, using, withScratch } from './scratch.ts'

const user = '00000000-0000-0000-0000-000000000001'

/** What `listMemories` asks for a page, without and with a place to go on from. */
const bare = (after: string) => `
  select id, user_id, memory_type, content, status, created_at, updated_at
    from public.memories
   where user_id = $1 ${after}
   order by created_at desc, id desc
   limit 51`
const first = bare('')
const next = bare('and (created_at, id) < ($2::timestamptz, $3::uuid)')

/** How long a page of memories takes with more and more of them, and far down, beside the same SQL bare. */
export default async function measureMemories(given: Options) {
  const { rounds = 500, memories = 1_000_000, ...options } = given
  return await withScratch(options, async scratch => {
    await scratch.clone('empty')
    await migrateTo(scratch.urlOf('empty'))
    const ways: Record<string, () => unknown> = {}
    const opened = []
    const sizes = [1000, memories]
    for (const size of sizes) {
      const name = `memories_${size}`
      await scratch.clone(name, 'empty')
      await addMemories(scratch, name, size)
      const db = createDatabase(scratch.urlOf(name), { max: 1 })
      opened.push(db)
      const [place] = await db.$client<{ time: string; id: string }[]>`
        select to_jsonb(created_at) #>> '{}' as time, id from public.memories
         where user_id = ${user} order by created_at limit 1 offset 100`
      const { time = '', id = '' } = place ?? {}
      const after = Buffer.from(`${time} ${id}`).toString('base64url')
      const suffix = `${size.toLocaleString('en')} memories`
      ways[`bare, first page, ${suffix}`] = () => db.$client.unsafe(first, [user], { prepare: true })
      ways[`listMemories, first page, ${suffix}`] = () => listMemories(db, user)
      ways[`bare, last page, ${suffix}`] = () => db.$client.unsafe(next, [user, time, id], { prepare: true })
      ways[`listMemories, last page, ${suffix}`] = () => listMemories(db, user, { after })
    }
    const times = await alternate(ways, rounds, { warmUp: 100 })
    for (const db of opened) await db.$client.end()
    const [few, many] = sizes.map(size => `${size.toLocaleString('en')} memories`)
    const goal = (what: string, one: string, other: string, limit: number) => ({
      what,
      found: ratio(times, one, other),
      limit,
      unit: 'x' as const,
    })
    const [page, far] = [`listMemories, first page, ${many}`, `listMemories, last page, ${many}`]
    const goals = [
      goal('listMemories beside the same SQL bare and prepared', page, `bare, first page, ${many}`, 1.5),
      goal('the same far down', far, `bare, last page, ${many}`, 1.5),
      goal(`listMemories with ${many} beside ${few}`, page, `listMemories, first page, ${few}`, 1.5),
      goal('the last page beside the first', far, page, 1.5),
    ]
    return [{ title: `a page of 50 memories, ${rounds} calls at each size`, table: tableOf(times), goals }]
  })
}

/** One user has half of them. */
export async function addMemories({ urlOf }: Scratch, database: string, memories: number): Promise<void> {
  await using(urlOf(database, 'superuser'), async sql => {
    await sql`insert into auth.users (id, email)
              select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n || '@example.test'
                from generate_series(1, 1000) n`
    // Without the checks of foreign keys.
    await sql`set session_replication_role = replica`
    await sql`insert into public.memories (user_id, memory_type, content, status, created_at)
              select ('00000000-0000-0000-0000-' || lpad((case n % 2 when 0 then 1 else n % 999 + 2 end)::text, 12, '0'))::uuid,
                     'user', 'What was said in conversation ' || n, 'active', '2026-01-01'::timestamptz + n * interval '1 second'
                from generate_series(1, ${memories}::int) n`
    await sql`vacuum analyze`
    await sql`checkpoint`
  })
}
