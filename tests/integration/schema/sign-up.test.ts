import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asRole, createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { relationsAt, relationsIn } from '../../support/inventory.ts'
import { type CommitPoint, commitPoints, hasReached, reach } from '../../support/migrations.ts'

const catalog = [
  { agent_type: 'INTENT_RECOGNITION', config: { temperature: 0 }, status: 'active' },
  { agent_type: 'RESULT_REPORTING', config: {}, status: 'inactive' },
  { agent_type: 'TASK_EXECUTION', config: { tools: ['search'] }, status: 'active' },
]

describe('at every commit point', () => {
  let database: TestDatabase
  /** One for each point: they signed up at the first, and leave at theirs. */
  let oldHands: string[]

  beforeAll(async () => {
    database = await createDatabase('stub_old')
    await reach(database.db, commitPoints[0]!)
    await fillCatalog(database)
    oldHands = []
    for (const point of commitPoints)
      oldHands.push(await userWithMemories(database, commitPoints[0] ?? point))
  })
  afterAll(() => database.drop())

  describe.each(commitPoints.map((point, index) => ({ ...point, index })))(
    '$way to $at',
    ({ index, ...point }) => {
      const { tables, views } = relationsAt(point)
      const hasCopies = tables.includes('public.user_agents')
      const settings = hasReached(point, 'serve_both_applications') ? { agent_prompts: {} } : {}

      beforeAll(() => reach(database.db, point))

      test('the role that signs users up has no rights on any table in public', async () => {
        const { sql, admin } = database
        for (const relation of [...tables, ...views]) {
          const [privilege] = await sql`
          select has_table_privilege('supabase_auth_admin', ${relation},
                                     'select, insert, update, delete, truncate, references, trigger') as any`
          expect({ relation, ...privilege }).toEqual({ relation, any: false })
          await expect(
            asRole(admin, 'supabase_auth_admin', tx => tx`insert into ${tx(relation)} default values`),
          ).rejects.toMatchObject({ code: '42501' })
        }
      })

      test(`a sign-up makes one profile, with settings ${JSON.stringify(settings)}`, async () => {
        const { sql, admin } = database
        const [before] = await sql`select count(*)::int from public.profiles`
        const id = await signUp(admin, { metadata: { username: 'Ada' } })
        expect(
          await sql`select username, avatar_url, bio, settings from public.profiles where id = ${id}`,
        ).toEqual([{ username: 'Ada', avatar_url: null, bio: null, settings }])
        expect(await sql`select count(*)::int from public.profiles`).toEqual([{ count: before?.count + 1 }])
      })

      test(`a sign-up ${hasCopies ? 'copies the catalog’s three types' : 'makes no agents'}`, async () => {
        const { sql, admin } = database
        const id = await signUp(admin)
        if (!hasCopies) {
          expect(await sql`select to_regclass('public.user_agents') as found`).toEqual([{ found: null }])
          return
        }
        const [llm] = await sql`select id from public.llms`
        const rows = await sql`
        select agent_type, config, status, llm_id, created_by, updated_by, deleted_at
          from public.user_agents where user_id = ${id} order by agent_type`
        expect(rows).toEqual(
          catalog.map(agent => ({
            ...agent,
            llm_id: llm?.id,
            created_by: id,
            updated_by: id,
            deleted_at: null,
          })),
        )
      })

      test('who is deleted is gone from every table, the archive’s too', async () => {
        const { admin } = database
        const newcomer = await userWithMemories(database, point)
        for (const user of [newcomer, oldHands[index]!]) {
          const everywhere = [...tables, ...relationsAt(point).archived]
          expect(await relationsIn(database)).toEqual(expect.arrayContaining(everywhere))
          const before = await mentions(database, everywhere, user)
          expect(before).toEqual(expect.arrayContaining(['public.memories', 'public.profiles']))
          const memories = await admin`select id from public.memories where user_id = ${user}`
          expect(memories).toHaveLength(2)

          await asRole(admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${user}`)
          for (const id of [user, ...memories.map(memory => memory.id)]) {
            expect(await mentions(database, everywhere, id)).toEqual([])
          }
        }
      })
    },
  )
})

async function fillCatalog({ sql }: TestDatabase): Promise<void> {
  const [llm] = await sql`
    insert into public.llms (model_code, provider, display_name, status)
    values ('model', 'provider', 'Model', 'active')
    returning id`
  for (const agent of [...catalog, { agent_type: 'FOURTH', config: {}, status: 'active' }]) {
    await sql`
      insert into public.user_agent_catalog (agent_type, llm_id, config, status)
      values (${agent.agent_type}, ${llm?.id}, ${JSON.stringify(agent.config)}::text::jsonb, ${agent.status})`
  }
}

/** A user with a memory of each type, written by whichever application the point is meant for. */
async function userWithMemories({ sql, admin }: TestDatabase, point: CommitPoint): Promise<string> {
  const user = await signUp(admin)
  if (hasReached(point, 'serve_both_applications')) {
    await sql`
      insert into public.memories (user_id, memory_type, content, status)
      values (${user}, 'work', 'of work', 'active'), (${user}, 'user', 'of the user', 'active')`
  } else {
    await sql`
      insert into public.memories (user_id, agent_id, memory_type, content, status)
      select user_id, id, 'work', 'of work', 'active'
        from public.user_agents where user_id = ${user} and agent_type = 'TASK_EXECUTION'
      union all
      select ${user}, null, 'user', 'of the user', 'active'`
  }
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
