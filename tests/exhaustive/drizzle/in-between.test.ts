import { randomUUID } from 'node:crypto'
import { drizzle } from 'drizzle-orm/postgres-js'
import { describe, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { sharedDatabase, signUp } from '../../support/database.ts'
import { baseline, hasReached, migrationsSince, pointsSince, reach } from '../../support/migrations.ts'
import { AGENT_TYPES, addCatalog, type Rows, readRows } from '../../support/rows.ts'
import { sample } from '../../support/sample.ts'
import { connect } from '../../support/templates.ts'

const filled = '{"agent_prompts": {"TASK_EXECUTION": "mine"}}'
const settings = [
  { before: '{"theme": 1.0}', since: filled, after: filled },
  { before: '{"theme": 1.0}', since: '{"theme": 2.0, "agent_prompts": {}}', after: '{"theme": 2.0}' },
  { before: '[1.0]', since: filled, after: filled },
  { before: '"agent_prompts"', since: undefined, after: '"agent_prompts"' },
  { before: '[1.0]', since: '{"theme": 2.0, "agent_prompts": {}}', after: '{"theme": 2.0}' },
  {
    before: '{"agent_prompts": 7}',
    since: '{"theme": 2.0, "agent_prompts": {}}',
    after: '{"theme": 2.0, "agent_prompts": 7}',
  },
  { before: '{"agent_prompts": null}', since: filled, after: filled },
  // Its own before we came: empty or not, it stays.
  { before: filled, since: '{"agent_prompts": {}}', after: '{"agent_prompts": {}}' },
  { before: '{"agent_prompts": {}}', since: undefined, after: '{"agent_prompts": {}}' },
]

describe.for(sample('in between', pointsSince, 2))('what is written after $at on the way $way', point => {
  let rows: Rows
  let memories: unknown[]
  let said: string[]
  let [early, robbed, old, gone, newcomer, another]: string[] = []
  let memory: Record<string, string>
  let profiles: string[]

  const agentOf = async (user: string | undefined, type = 'TASK_EXECUTION'): Promise<string> => {
    const [agent] = await database.admin`
      select id from public.user_agents where user_id = ${user!} and agent_type = ${type}`
    return agent?.id
  }
  const agentOfMemory = async (id: string | undefined) =>
    (await database.admin`select agent_id from public.memories where id = ${id!}`)[0]?.agent_id
  const setSettings = (id: string, json: string) =>
    database.admin`update public.profiles set settings = ${json}::text::jsonb where id = ${id}`
  /** A memory may come back with another agent than it had, where it had none or one that is gone. */
  const withoutAgents = async () => [
    ...(await database.admin`
      select id, user_id, memory_type, content, status, created_at::text, updated_at::text
        from public.memories order by id`),
  ]
  const agentsOf = (user: string | undefined) =>
    database.admin`select from public.user_agents where user_id = ${user!}`

  const database = sharedDatabase('baseline', async ({ admin }) => {
    early = await signUp(admin)
    await addCatalog(admin)
    robbed = await signUp(admin)
    await admin`delete from public.user_agents where user_id = ${robbed}`
    old = await signUp(admin)
    gone = await signUp(admin)
    profiles = await Promise.all(settings.map(() => signUp(admin)))
    for (const [i, { before }] of settings.entries()) await setSettings(profiles[i]!, before)

    /** As the old application writes, with the agent; then as the new one. */
    const oldMemory = async (user: string, agent: string | null) => {
      const [made] = await admin`
        insert into public.memories (id, user_id, agent_id, memory_type, content, status)
        values (${randomUUID()}, ${user}, ${agent}, ${agent ? 'work' : 'user'}, 'old', 'active') returning id`
      return made?.id
    }
    const newMemory = async (user: string, type: string) => {
      const [made] = await admin`
        insert into public.memories (user_id, memory_type, content, status)
        values (${user}, ${type}, 'new', 'active') returning id`
      return made?.id
    }
    const reporting = await agentOf(old, 'RESULT_REPORTING')
    memory = {
      toUser: await oldMemory(old, reporting),
      toWork: await oldMemory(old, null),
      back: await oldMemory(old, reporting),
      untouched: await oldMemory(old, reporting),
      ofAnother: await oldMemory(old, await agentOf(gone)),
      deleted: await oldMemory(old, reporting),
      gone: await oldMemory(gone, await agentOf(gone)),
    }
    await reach(database.db, point)

    newcomer = await signUp(admin)
    another = await signUp(admin)
    memory.work = await newMemory(old, 'work')
    memory.newcomers = await newMemory(newcomer, 'work')
    memory.user = await newMemory(old, 'user')
    const turn = (id: string | undefined, type: string) =>
      admin`update public.memories set memory_type = ${type} where id = ${id!}`
    await turn(memory.toUser, 'user')
    await turn(memory.toWork, 'work')
    await turn(memory.back, 'user')
    await turn(memory.back, 'work')
    await admin`delete from public.memories where id = ${memory.deleted!}`
    await admin`delete from auth.users where id = ${gone}`
    for (const [i, { since }] of settings.entries()) if (since) await setSettings(profiles[i]!, since)
    await admin`
      insert into public.system_agents (agent_type, llm_id, config, status, created_at)
      values ('PLANNING', md5('model 2')::uuid, '{"top_p": 1.00}', 'inactive', '-infinity')`
    rows = await readRows(admin)
    memories = await withoutAgents()

    said = []
    // With one connection the step does all itself, with more its online part goes first.
    const max = point.way === 'up' ? 1 : 4
    const sql = connect(database.url, { max, onnotice: notice => said.push(notice.message ?? '') })
    try {
      await rollback(drizzle({ client: sql }), { to: baseline })
    } finally {
      await sql.end()
    }
  })

  test('gives users who signed up the agents of the catalog', async () => {
    for (const user of [newcomer, another]) {
      const given = await database.admin`
        select agent_type, llm_id, config::text, status, created_by, updated_by, deleted_at
          from public.user_agents where user_id = ${user!} order by agent_type`
      const catalog = await database.admin`
        select agent_type, llm_id, config::text, status,
               ${user!}::text as created_by, ${user!}::text as updated_by, null as deleted_at
          from public.user_agent_catalog order by agent_type`
      expect(catalog).toHaveLength(3)
      expect([...given]).toEqual([...catalog])
      expect(await database.admin`select settings from public.profiles where id = ${user!}`).toEqual([
        { settings: {} },
      ])
    }
  })

  test('gives none to users that never had agents', async () => {
    expect(await agentsOf(early)).toHaveLength(0)
    expect(await agentsOf(robbed)).toHaveLength(0)
    expect(await agentsOf(old)).toHaveLength(3)
  })

  test('gives a work memory its owner’s TASK_EXECUTION agent, and a user memory none', async () => {
    expect(await agentOfMemory(memory.work)).toBe(await agentOf(old))
    expect(await agentOfMemory(memory.newcomers)).toBe(await agentOf(newcomer))
    expect(await agentOfMemory(memory.user)).toBeNull()
  })

  test('follows a memory that changed its type, and leaves the others their agent', async () => {
    const reporting = await agentOf(old, 'RESULT_REPORTING')
    expect(await agentOfMemory(memory.untouched)).toBe(reporting)
    expect(await agentOfMemory(memory.toUser)).toBeNull()
    expect(await agentOfMemory(memory.toWork)).toBe(await agentOf(old))
    expect([reporting, await agentOf(old)]).toContain(await agentOfMemory(memory.back))
  })

  test('keeps an agent_prompts that is filled, and takes out one that is empty', async () => {
    const found = await database.admin`select id, settings::text as text from public.profiles`
    const textOf = new Map(found.map(({ id, text }) => [id, text]))
    // Before the archive is filled nobody was given any: what is there is the user's own.
    const given = hasReached(point, 'add_agent_prompts')
    expect(profiles.map(id => textOf.get(id))).toEqual(
      settings.map(({ before, since, after }) => (given ? after : (since ?? before))),
    )
  })

  test('lets an agent type that the old schema does not know wait in archive', async () => {
    expect(said).toContain(
      'moved 1 system agents to archive.system_agents: the old schema does not know their types',
    )
    const catalog = await database.admin`select agent_type from public.user_agent_catalog`
    expect(catalog.map(({ agent_type }) => agent_type).sort()).toEqual([...AGENT_TYPES].sort())
    const parked = await database.admin`select agent_type from archive.system_agents`
    expect([...parked]).toEqual([{ agent_type: 'PLANNING' }])
  })

  test('keeps deleted users and memories deleted', async () => {
    expect(await agentsOf(gone)).toHaveLength(0)
    expect(await agentOfMemory(memory.deleted)).toBeUndefined()
    expect(await agentOfMemory(memory.gone)).toBeUndefined()
  })

  test('gives a memory that outlived another user’s agent the one of its owner', async () => {
    const outlived = rows['public.memories']?.some(row => row.includes(memory.ofAnother!))
    expect(await agentOfMemory(memory.ofAnother)).toBe(outlived ? await agentOf(old) : undefined)
  })

  test('is there again after the way up', async () => {
    await (point.way === 'up' ? reach(database.db, point) : migrate(database.db))
    if (point.way === 'down') await rollback(database.db, { to: point.at })
    const again = await readRows(database.admin)
    for (const table of ['auth.users', 'public.llms']) expect(again[table]).toEqual(rows[table])
    expect(await withoutAgents()).toEqual(memories)
    if (hasReached(point, 'add_agent_prompts'))
      expect(again['public.profiles']).toEqual(rows['public.profiles'])
    const catalog = rows['public.system_agents'] ?? rows['public.user_agent_catalog']
    expect(catalog).toHaveLength(4)
    expect(again['public.system_agents'] ?? again['public.user_agent_catalog']).toEqual(catalog)
    expect(await database.admin`select from archive.system_agents`).toHaveLength(0)
  })

  if (point.at === migrationsSince.at(-1)) {
    test('is counted aloud, where agents are given', () => {
      expect(said.filter(message => message.startsWith('gave'))).toEqual([
        'gave 2 users who signed up since their agents from the catalog',
        'gave 4 work memories written since the TASK_EXECUTION agent of their owner',
      ])
    })
  }
})
