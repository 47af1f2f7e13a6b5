import { expect, test } from 'vitest'
import { check, dropArchive, migrate, readArchive, rollback } from '../../../src/migrate.ts'
import { databaseForEach, ownDatabase, signUp, statementsAs } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { addCatalog, addMemory, readRows } from '../../support/rows.ts'

// While both applications work, the archive follows what they do.

const at = databaseForEach('baseline', async ({ admin, db }) => {
  await addCatalog(admin)
  await migrate(db, { to: 'add_agent_prompts' })
})
/** As the applications connect. */
const run = statementsAs('service_role', at)

/** Expects the archive to hold what the tables do, and so many. */
async function expectArchived(counts: { agents: number; memories: number }): Promise<void> {
  const rows = await readRows(at.admin, ['public', 'archive'])
  const links = await at.admin`select memory_id, agent_id from archive.memory_agents order by memory_id`
  const wanted = await at.admin`
    select id as memory_id, agent_id from public.memories where agent_id is not null order by id`
  expect(rows['archive.user_agents']).toEqual(rows['public.user_agents'])
  expect([...links]).toEqual([...wanted])
  expect({ agents: rows['archive.user_agents']?.length, memories: links.length }).toEqual(counts)
}

/** A work memory of a user, written by the old application; its id. */
async function workMemory(user: string): Promise<string> {
  const [made] = await run`
    insert into memories (user_id, agent_id, memory_type, content, status)
    select user_id, id, 'work', 'content', 'active' from user_agents
     where user_id = ${user} and agent_type = 'TASK_EXECUTION' returning id`
  return made?.id
}

test('agents that are inserted, updated and deleted', async () => {
  const [ada, bob] = [await signUp(at.admin), await signUp(at.admin)]
  await expectArchived({ agents: 6, memories: 0 })
  await run`delete from user_agents where user_id = ${ada} and agent_type <> 'TASK_EXECUTION'`
  await run`
    insert into user_agents (id, user_id, llm_id, agent_type, config, status, created_by)
    values (gen_random_uuid(), ${ada}, md5('model 2')::uuid, 'RESULT_REPORTING', '{"n": 1.0}', 'odd', ${bob})`
  await run`
    update user_agents set config = '{"n": 1.00}', status = '', llm_id = md5('model 2')::uuid,
           deleted_at = 'infinity', updated_by = ${bob}, created_by = null where user_id = ${bob}`
  await run`
    update user_agents set id = gen_random_uuid(), user_id = ${ada}
     where user_id = ${bob} and agent_type = 'INTENT_RECOGNITION'`
  await run`
    insert into user_agents (id, user_id, llm_id, agent_type, status)
    select gen_random_uuid(), user_id, llm_id, agent_type, 'again' from user_agents where user_id = ${ada}
        on conflict (user_id, agent_type) do update set status = excluded.status, updated_at = 'infinity'`
  await expectArchived({ agents: 5, memories: 0 })
  const archived = await at.admin`
    select count(*) filter (where status = 'again')::int as again,
           count(*) filter (where created_by is null)::int as orphans from archive.user_agents`
  expect(archived).toEqual([{ again: 3, orphans: 3 }])
})

test('memories that are inserted, change their agent, type or id, and are deleted', async () => {
  const [ada, bob] = [await signUp(at.admin), await signUp(at.admin)]
  const [moved, parted, turned, deleted, renumbered] = await Promise.all(
    [1, 2, 3, 4, 5].map(() => workMemory(ada)),
  )
  await expectArchived({ agents: 6, memories: 5 })
  const [his] = await run`select id from user_agents where user_id = ${bob} and agent_type = 'TASK_EXECUTION'`
  await run`update memories set agent_id = ${his?.id} where id = ${moved!}`
  await run`update memories set agent_id = null, memory_type = 'user' where id = ${parted!}`
  await run`update memories set memory_type = 'user' where id = ${turned!}`
  await run`delete from memories where id = ${deleted!}`
  await run`update memories set id = gen_random_uuid() where id = ${renumbered!}`
  // By the new application.
  await addMemory(at.admin, bob, 'work')
  await expectArchived({ agents: 6, memories: 3 })
  expect(await at.admin`select from archive.memory_agents where memory_id = ${renumbered!}`).toHaveLength(0)
  // Takes its memories along, whosever they are.
  await run`delete from user_agents where id = ${his?.id}`
  await expectArchived({ agents: 5, memories: 1 })
})

test('tables that are truncated', async () => {
  const ada = await signUp(at.admin)
  await workMemory(ada)
  await expectArchived({ agents: 3, memories: 1 })
  await at.sql`truncate public.memories cascade`
  await expectArchived({ agents: 3, memories: 0 })
  await workMemory(ada)
  await at.sql`truncate public.user_agents cascade`
  await expectArchived({ agents: 0, memories: 0 })
})

test('commands at once: each finds the archive there or gone, and nothing in between', async () => {
  for (let round = 0; round < 5; round++) {
    const own = await ownDatabase('today')
    const work = [
      dropArchive(own.db),
      dropArchive(own.db),
      readArchive(own.db),
      rollback(own.db, { to: baseline }).catch(error => error),
      readArchive(own.db),
      check(own.db),
    ]
    const results = await Promise.allSettled(work)
    const failures = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    for (const failure of failures)
      expect(failure).toMatchObject({ code: 'STATEMENT_FAILED', sqlState: '55000' })
    // Rolled back, or told that the copies are missing.
    const [, , , rolledBack] = results.map(result =>
      result.status === 'fulfilled' ? result.value : undefined,
    )
    if (rolledBack instanceof Error) expect(rolledBack).toMatchObject({ sqlState: '55000' })
  }
})
