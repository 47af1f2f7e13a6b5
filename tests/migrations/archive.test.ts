import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { beforeEach, describe, expect, test } from 'vitest'
import { migrate } from '../../src/migrations/index.ts'
import { asRole, ownDatabase, signUp, type TestDatabase } from '../support/database.ts'
import { addCatalog, readRows } from '../support/rows.ts'
import { arrive, commitPoints } from './commit-points.ts'

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

// Before the archive is filled it holds nobody.
describe.for(commitPoints.slice(1))('after $to on the way $way', point => {
  test('deleting a user deletes all that is archived of it, and only that', async () => {
    const [ada, bob] = [await signUp(admin), await signUp(admin)]
    for (const user of [ada, bob]) {
      await workMemory(user, await agentOf(user))
      await admin`update public.profiles set settings = to_jsonb(${user}::text) where id = ${user}`
    }
    await arrive(database, point)
    const of = async (user: string) => {
      const rows = Object.entries(await readRows(admin, ['archive']))
      const memories = await admin`select id from public.memories where user_id = ${user}`
      const traces = [user, ...memories.map(({ id }) => id)]
      return rows
        .map(([table, rows]) => `${table} ${rows.filter(row => traces.some(id => row.includes(id))).length}`)
        .sort()
    }
    const held = await of(ada)
    expect(held).toContain('archive.memory_agents 1')
    // Once settings are back where they came from, the archive has none.
    const restored = point.way === 'down' && point.to === 'serve_both_applications'
    expect(held).toContain(`archive.profile_settings ${restored ? 0 : 1}`)
    expect(held).toContain('archive.user_agents 3')
    await asRole(admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${ada}`)
    expect(await of(bob)).toEqual(held)
    const rows = await readRows(admin, ['archive', 'public'])
    expect(Object.values(rows).flat().join()).not.toContain(ada)
    expect(rows['archive.memory_agents']).toHaveLength(1)
  })

  test('deleting a memory deletes its link in the archive', async () => {
    const ada = await signUp(admin)
    const memory = await workMemory(ada, await agentOf(ada))
    const other = await workMemory(ada, await agentOf(ada))
    await arrive(database, point)
    await application(tx => tx`delete from public.memories where id = ${memory}`)
    expect(await admin`select memory_id from archive.memory_agents`).toEqual([{ memory_id: other }])
  })

  test('deleting a user who made or changed another’s agents leaves the agents without a maker', async () => {
    const [ada, bob] = [await signUp(admin), await signUp(admin)]
    await admin`update public.user_agents set created_by = ${bob}, updated_by = ${bob} where user_id = ${ada}`
    await arrive(database, point)
    const makers = () => admin`
      select distinct created_by, updated_by from archive.user_agents where user_id = ${ada}`
    expect(await makers()).toEqual([{ created_by: bob, updated_by: bob }])
    await admin`delete from auth.users where id = ${bob}`
    expect(await makers()).toEqual([{ created_by: null, updated_by: null }])
    expect(await admin`select from archive.user_agents`).toHaveLength(3)
  })

  test.for(['anon', 'authenticated', 'service_role'])('%s has no access to the archive', async role => {
    const ada = await signUp(admin)
    await workMemory(ada, await agentOf(ada))
    await arrive(database, point)
    // PostgreSQL asks for the schema first, so each right is looked at too.
    const rights = await admin`
      select c.relname from pg_class c
       where c.relnamespace = 'archive'::regnamespace and c.relkind = 'r'
         and (has_table_privilege(${role}, c.oid, 'select, insert, update, delete, truncate, references, trigger')
              or has_schema_privilege(${role}, 'archive', 'usage, create'))
      union all
      select p.proname from pg_proc p
       where p.pronamespace = 'archive'::regnamespace and has_function_privilege(${role}, p.oid, 'execute')`
    expect([...rights]).toEqual([])
    const read = (tx: postgres.ISql) => tx`select from archive.user_agents`
    await expect(asRole(admin, role, read)).rejects.toMatchObject({ code: '42501' })
    expect(await read(admin)).toHaveLength(3)
  })
})
