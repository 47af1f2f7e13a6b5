import { beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../../../src/migrate.ts'
import { asRole, ownDatabase, sharedDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { relationsIn } from '../../support/inventory.ts'
import { type CommitPoint, commitPoints, hasReached, reach } from '../../support/migrations.ts'
import { addMemory, addModel } from '../../support/rows.ts'

const catalog = [
  { agent_type: 'INTENT_RECOGNITION', config: { temperature: 0 }, status: 'active' },
  { agent_type: 'RESULT_REPORTING', config: {}, status: 'inactive' },
  { agent_type: 'TASK_EXECUTION', config: { tools: ['search'] }, status: 'active' },
]

/** One for each point: they signed up at the first, and leave at theirs. */
const oldHands: string[] = []
let llm_id: string
const database = sharedDatabase('stub_old', async at => {
  await reach(at.db, commitPoints[0]!)
  llm_id = await addModel(at.sql)
  for (const agent of [...catalog, { agent_type: 'FOURTH', config: {}, status: 'active' }])
    await at.sql`
      insert into public.user_agent_catalog (agent_type, llm_id, config, status)
      values (${agent.agent_type}, ${llm_id}, ${JSON.stringify(agent.config)}::text::jsonb, ${agent.status})`
  for (const _ of commitPoints) oldHands.push(await userWithMemories(at, commitPoints[0]!))
})

describe.each(commitPoints.map((point, index) => ({ ...point, index })))(
  '$way to $at',
  ({ index, ...point }) => {
    const copies = !hasReached(point, 'rename_catalog_and_drop_user_agents')
    const settings = hasReached(point, 'serve_both_applications') ? { agent_prompts: {} } : {}

    beforeAll(() => reach(database.db, point))

    test(`a sign-up makes one profile, with settings ${JSON.stringify(settings)}`, async () => {
      const { sql, admin } = database
      const [before] = await sql`select count(*)::int from public.profiles`
      const id = await signUp(admin, { metadata: { username: 'Ada' } })
      expect(
        await sql`select username, avatar_url, bio, settings from public.profiles where id = ${id}`,
      ).toEqual([{ username: 'Ada', avatar_url: null, bio: null, settings }])
      expect(await sql`select count(*)::int from public.profiles`).toEqual([{ count: before?.count + 1 }])
    })

    test(`a sign-up ${copies ? 'copies the catalog’s three types' : 'makes no agents'}`, async () => {
      const { sql, admin } = database
      const id = await signUp(admin)
      if (!copies) {
        expect(await sql`select to_regclass('public.user_agents') as found`).toEqual([{ found: null }])
        return
      }
      const given = { llm_id, created_by: id, updated_by: id, deleted_at: null }
      expect(
        await sql`
        select agent_type, config, status, llm_id, created_by, updated_by, deleted_at
          from public.user_agents where user_id = ${id} order by agent_type`,
      ).toEqual(catalog.map(agent => ({ ...agent, ...given })))
    })

    test('who is deleted is gone from every table, the archive’s too', async () => {
      const { admin } = database
      const newcomer = await userWithMemories(database, point)
      for (const user of [newcomer, oldHands[index]!]) {
        const { all } = await relationsIn(database)
        const before = await mentions(database, all, user)
        expect(before).toEqual(expect.arrayContaining(['public.memories', 'public.profiles']))
        const memories = await admin`select id from public.memories where user_id = ${user}`
        expect(memories).toHaveLength(2)

        await asRole(admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${user}`)
        for (const id of [user, ...memories.map(memory => memory.id)])
          expect(await mentions(database, all, id)).toEqual([])
      }
    })
  },
)

/** A user with a memory of each type, written by whichever application the point is meant for. */
async function userWithMemories({ sql, admin }: TestDatabase, point: CommitPoint): Promise<string> {
  const user = await signUp(admin)
  await addMemory(sql, user)
  if (hasReached(point, 'serve_both_applications')) await addMemory(sql, user, 'work')
  else
    await sql`
      insert into public.memories (user_id, agent_id, memory_type, content, status)
      select user_id, id, 'work', 'of work', 'active'
        from public.user_agents where user_id = ${user} and agent_type = 'TASK_EXECUTION'`
  return user
}

/** The tables in which an id stands anywhere. */
async function mentions({ sql }: TestDatabase, relations: string[], id: string): Promise<string[]> {
  const found = []
  for (const relation of relations) {
    const rows = await sql`select from ${sql(relation)} t where strpos(t::text, ${id}) > 0 limit 1`
    if (rows.count > 0) found.push(relation)
  }
  return found
}

test('a trigger of the project that has the name of ours stays, and is named', async () => {
  const at = await ownDatabase('stub_old')
  await at.sql.unsafe(`
    create table public.people (id uuid);
    create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = ''
      as $$ begin insert into public.people values (new.id); return new; end $$;
    create trigger on_auth_user_created after insert on auth.users for each row execute function public.handle_new_user()`)
  await expect(migrate(at.db)).rejects.toMatchObject({
    sqlState: '42710',
    message: expect.stringMatching(
      /trigger "on_auth_user_created" .*already exists.*\nhint: .*give it another one/,
    ),
  })
  const id = await signUp(at.admin)
  expect(await at.sql`select id from public.people`).toEqual([{ id }])
})
