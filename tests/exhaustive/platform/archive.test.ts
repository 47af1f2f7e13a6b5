import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { asRole, sharedDatabase, signUp } from '../../support/database.ts'
import { hasReached, pointsSince, reach } from '../../support/migrations.ts'
import { addCatalog, readRows } from '../../support/rows.ts'
import { sample } from '../../support/sample.ts'

// Before the archive is filled it holds nobody.
describe.for(sample('archive', pointsSince.slice(1), 2))('after $at on the way $way', point => {
  let admin: postgres.Sql
  let [leaver, stayer, forgetful]: string[] = []
  let memory: Record<'forgotten' | 'kept', string>

  const workMemory = async (user: string) => {
    const id = randomUUID()
    await admin`
      insert into public.memories (id, user_id, agent_id, memory_type, content, status)
      select ${id}, user_id, id, 'work', 'of ' || user_id, 'active'
        from public.user_agents where user_id = ${user} and agent_type = 'TASK_EXECUTION'`
    return id
  }

  sharedDatabase('baseline', async database => {
    admin = database.admin
    await addCatalog(admin)
    leaver = await signUp(admin)
    stayer = await signUp(admin)
    forgetful = await signUp(admin)
    for (const user of [leaver, stayer]) {
      await workMemory(user)
      await admin`update public.profiles set settings = to_jsonb(${user}::text) where id = ${user}`
    }
    memory = { forgotten: await workMemory(forgetful), kept: await workMemory(forgetful) }
    await admin`
      update public.user_agents set created_by = ${leaver}, updated_by = ${leaver} where user_id = ${forgetful}`
    await reach(database.db, point)
  })

  /** How many rows of each table of the archive tell of a user. */
  const archivedOf = async (user: string) => {
    const memories = await admin`select id from public.memories where user_id = ${user}`
    const traces = [user, ...memories.map(({ id }) => id)]
    const rows = Object.entries(await readRows(admin, ['archive']))
    return rows
      .map(([table, rows]) => `${table} ${rows.filter(row => traces.some(id => row.includes(id))).length}`)
      .sort()
  }
  const links = async () =>
    (await admin`select memory_id from archive.memory_agents`).map(({ memory_id }) => memory_id)

  test('deleting a memory deletes its link in the archive, and no other', async () => {
    expect(await links()).toContain(memory.forgotten)
    const before = await links()
    await asRole(admin, 'service_role', tx => tx`delete from public.memories where id = ${memory.forgotten}`)
    expect((await links()).sort()).toEqual(before.filter(id => id !== memory.forgotten).sort())
  })

  test('deleting a user deletes all that is archived of them, and only that', async () => {
    const makers = () => admin`
      select distinct created_by, updated_by from archive.user_agents where user_id = ${forgetful!}`
    expect(await makers()).toEqual([{ created_by: leaver, updated_by: leaver }])
    const held = await archivedOf(stayer!)
    expect(held).toContain('archive.memory_agents 1')
    // Only where settings are not as they were.
    const repaired = hasReached(point, 'add_agent_prompts')
    expect(held).toContain(`archive.profile_settings ${repaired ? 1 : 0}`)
    expect(held).toContain('archive.user_agents 3')
    expect(await archivedOf(leaver!)).not.toEqual([])

    await asRole(admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${leaver!}`)
    expect(await archivedOf(stayer!)).toEqual(held)
    expect(
      Object.values(await readRows(admin, ['archive', 'public']))
        .flat()
        .join(),
    ).not.toContain(leaver)
    // Agents that they made or changed for others are nobody's work now.
    expect(await makers()).toEqual([{ created_by: null, updated_by: null }])
  })
})
