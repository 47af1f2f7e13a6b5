import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { beforeEach, describe, expect, test } from 'vitest'
import { migrate } from '../../../src/migrate.ts'
import { asRole, ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { addCatalog, readRows } from '../../support/rows.ts'

let database: TestDatabase
let admin: postgres.Sql

beforeEach(async () => {
  database = await ownDatabase('baseline')
  admin = database.admin
  await addCatalog(admin)
})

/** As the applications connect. */
const application = <T>(work: (tx: postgres.TransactionSql) => Promise<T>) =>
  asRole(admin, 'service_role', work)

/** What the archive should hold, from the tables, and what it does hold. */
async function compare() {
  const rows = await readRows(admin, ['public', 'archive'])
  const links = await admin`select memory_id, agent_id from archive.memory_agents order by memory_id`
  const wanted = await admin`
    select id as memory_id, agent_id from public.memories where agent_id is not null order by id`
  expect(rows['archive.user_agents']).toEqual(rows['public.user_agents'])
  expect([...links]).toEqual([...wanted])
  return { agents: rows['archive.user_agents']?.length, memories: links.length }
}

async function workMemory(user: string, agent: string): Promise<string> {
  const id = randomUUID()
  await application(
    tx => tx`insert into memories (id, user_id, agent_id, memory_type, content, status)
             values (${id}, ${user}, ${agent}, 'work', 'of ' || ${user}::text, 'active')`,
  )
  return id
}

async function agentOf(user: string): Promise<string> {
  const [agent] =
    await admin`select id from public.user_agents where user_id = ${user} and agent_type = 'TASK_EXECUTION'`
  return agent?.id
}

describe('while both applications work, the archive follows', () => {
  beforeEach(() => migrate(database.db, { to: 'archive_what_users_own' }))

  test('agents that are inserted, updated and deleted', async () => {
    const [ada, bob] = [await signUp(admin), await signUp(admin)]
    expect(await compare()).toEqual({ agents: 6, memories: 0 })
    await application(async tx => {
      await tx`delete from user_agents where user_id = ${ada} and agent_type <> 'TASK_EXECUTION'`
      await tx`
        insert into user_agents (id, user_id, llm_id, agent_type, config, status, created_by)
        values (gen_random_uuid(), ${ada}, md5('model 2')::uuid, 'RESULT_REPORTING', '{"n": 1.0}', 'odd', ${bob})`
      await tx`update user_agents set config = '{"n": 1.00}', status = '', llm_id = md5('model 2')::uuid,
                      deleted_at = 'infinity', updated_by = ${bob}, created_by = null where user_id = ${bob}`
      await tx`update user_agents set id = gen_random_uuid(), user_id = ${ada}
                where user_id = ${bob} and agent_type = 'INTENT_RECOGNITION'`
      await tx`
        insert into user_agents (id, user_id, llm_id, agent_type, status)
        select gen_random_uuid(), user_id, llm_id, agent_type, 'again' from user_agents where user_id = ${ada}
            on conflict (user_id, agent_type) do update set status = excluded.status, updated_at = 'infinity'`
    })
    expect(await compare()).toEqual({ agents: 5, memories: 0 })
    const [archived] = await admin`
      select count(*) filter (where status = 'again')::int as again, count(*) filter (where created_by is null)::int as orphans
        from archive.user_agents`
    expect(archived).toEqual({ again: 3, orphans: 3 })
  })

  test('memories that are inserted, change their agent or type, and are deleted', async () => {
    const [ada, bob] = [await signUp(admin), await signUp(admin)]
    const [hers, his] = [await agentOf(ada), await agentOf(bob)]
    const memories = await Promise.all(Array.from({ length: 5 }, () => workMemory(ada, hers)))
    expect(await compare()).toEqual({ agents: 6, memories: 5 })
    await application(async tx => {
      await tx`update memories set agent_id = ${his} where id = ${memories[0]!}`
      await tx`update memories set agent_id = null, memory_type = 'user' where id = ${memories[1]!}`
      await tx`update memories set memory_type = 'user' where id = ${memories[2]!}`
      await tx`delete from memories where id = ${memories[3]!}`
      await tx`insert into memories (user_id, memory_type, content, status) values (${bob}, 'work', 'new', 'active')`
    })
    expect(await compare()).toEqual({ agents: 6, memories: 3 })
    // Takes its memories along, whosever they are.
    await application(tx => tx`delete from user_agents where id = ${his}`)
    expect(await compare()).toEqual({ agents: 5, memories: 1 })
  })

  test('a memory and a profile that change their id', async () => {
    const ada = await signUp(admin)
    const memory = await workMemory(ada, await agentOf(ada))
    await application(tx => tx`update memories set id = gen_random_uuid() where id = ${memory}`)
    expect(await compare()).toEqual({ agents: 3, memories: 1 })
    expect(await admin`select from archive.memory_agents where memory_id = ${memory}`).toHaveLength(0)
  })

  test('tables that are truncated', async () => {
    const ada = await signUp(admin)
    await workMemory(ada, await agentOf(ada))
    expect(await compare()).toEqual({ agents: 3, memories: 1 })
    await database.sql`truncate public.memories cascade`
    expect(await compare()).toEqual({ agents: 3, memories: 0 })
    await workMemory(ada, await agentOf(ada))
    await database.sql`truncate public.user_agents cascade`
    expect(await compare()).toEqual({ agents: 0, memories: 0 })
  })
})
