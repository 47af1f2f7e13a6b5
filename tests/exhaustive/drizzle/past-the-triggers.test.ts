import { beforeEach, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { addCatalog, readRows } from '../../support/rows.ts'
import { sample } from '../../support/sample.ts'

let database: TestDatabase

/** Two users, one without agents; the other’s one memory is work. */
beforeEach(async () => {
  database = await ownDatabase('baseline')
  await addCatalog(database.admin)
  await signUp(database.admin)
  await database.admin`
    insert into public.memories (user_id, agent_id, memory_type, content, status)
    select user_id, id, 'work', 'content', 'active' from public.user_agents where agent_type = 'TASK_EXECUTION'`
  await database.admin`delete from public.user_agents where user_id = ${await signUp(database.admin)}`
})

async function owned({ admin }: TestDatabase) {
  const rows = await readRows(admin)
  return [rows['public.user_agents'], rows['public.memories']]
}

const insertAgent = {
  what: 'an agent inserted',
  write: `insert into public.user_agents (id, user_id, llm_id, agent_type, status)
          select gen_random_uuid(), id, md5('model 1')::uuid, 'TASK_EXECUTION', 'active' from auth.users
           where id not in (select user_id from public.user_agents)`,
  saying: 'public.user_agents: 1 rows',
}
const updateAgents = {
  what: 'agents updated',
  write: `update public.user_agents set status = 'changed'`,
  saying: 'public.user_agents: 3 rows',
}
const deleteAgent = {
  what: 'an agent deleted',
  write: `delete from public.user_agents where agent_type = 'RESULT_REPORTING'`,
  saying: 'user_agents: 1 rows',
}
const moveMemory = {
  what: 'a memory moved to another agent',
  write: `update public.memories
             set agent_id = (select id from public.user_agents where agent_type = 'RESULT_REPORTING')`,
  saying: 'public.memories: the agent_id of 1 rows',
}
const insertMemory = {
  what: 'a memory inserted',
  write: `insert into public.memories (user_id, agent_id, memory_type, content, status)
          select user_id, id, 'work', 'content', 'active' from public.user_agents where agent_type = 'INTENT_RECOGNITION'`,
  saying: 'public.memories: the agent_id of 1 rows',
}

const everywhere = [insertAgent, updateAgents, moveMemory, insertMemory]
const cases = [
  ...everywhere.map(missed => ({ after: 'archive_what_users_own', ...missed })),
  { after: 'archive_what_users_own', ...deleteAgent },
  // On the way down the table is empty here and the archive full, so one that was deleted cannot be told.
  ...everywhere.map(missed => ({ after: 'let_go_of_agent_id', ...missed })),
]

test.for(sample('past the triggers', cases, 1))(
  '$what past the triggers after $after stops the way up and is kept by the way down',
  async ({ after, write, saying }) => {
    const { admin, db } = database
    await migrate(db, { to: after })
    await admin.begin(async tx => {
      await tx`set local session_replication_role = replica`
      expect((await tx.unsafe(write)).count).toBeGreaterThan(0)
    })
    const written = await owned(database)
    await expect(migrate(db)).rejects.toMatchObject({
      sqlState: '55000',
      message: expect.stringContaining(saying),
    })
    expect(await owned(database)).toEqual(written)

    // As the hint says.
    await rollback(db, { to: baseline })
    expect(await owned(database)).toEqual(written)
    await migrate(db)
    await rollback(db, { to: baseline })
    expect(await owned(database)).toEqual(written)
  },
)
