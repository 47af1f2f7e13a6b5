import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { ownClient } from '../../support/client.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { readRows } from '../../support/rows.ts'

const agent = `(select id from public.user_agents where deleted_at is null order by id limit 1)`
const memory = `(select id from public.memories where memory_type = 'work' order by id limit 1)`

/** What the old application may do to a row that is copied. */
const changes: Record<string, string> = {
  'an agent is edited': `update public.user_agents set status = 'edited' where id = ${agent}`,
  'an agent is deleted': `delete from public.user_agents where id = ${agent}`,
  'an agent is given another id': `
    update public.user_agents set id = gen_random_uuid()
     where id = (select id from public.user_agents a
                  where not exists (select from public.memories m where m.agent_id = a.id) order by id limit 1)`,
  'a memory is given to another agent': `
    update public.memories m set agent_id = (select id from public.user_agents a where a.id <> m.agent_id limit 1) where id = ${memory}`,
  'a memory is taken from its agent': `update public.memories set memory_type = 'user', agent_id = null where id = ${memory}`,
  'a memory is deleted': `delete from public.memories where id = ${memory}`,
}

/** Runs a change in a transaction that began before the rows were copied; what PostgreSQL says. */
async function changeBehind(at: TestDatabase, level: string, change: string): Promise<string> {
  const sql = ownClient(at.url)
  await sql.unsafe(`begin isolation level ${level}; select from public.user_agents`)
  await migrate(at.db, { to: 'archive_user_agents' })
  const outcome = await sql.unsafe(change).then(
    () => 'done',
    ({ code }) => code,
  )
  await sql.unsafe(outcome === 'done' ? 'commit' : 'rollback')
  if (outcome === '40001') await sql.unsafe(change)
  return outcome
}

test.each(['read committed', 'repeatable read', 'serializable'])(
  'a client at %s changes rows that were copied after its snapshot: it fails with 40001, or the copy is right',
  async level => {
    for (const [what, change] of Object.entries(changes)) {
      const at = await ownDatabase('baseline of 20 users and 60 memories')
      await migrate(at.db, { to: 'serve_both_applications' })
      const outcome = await changeBehind(at, level, change)
      expect({ what, outcome }).toEqual({ what, outcome: level === 'read committed' ? 'done' : '40001' })
      const changed = await readRows(at.admin)
      const kept = await readRows(at.admin, ['archive'])
      expect({ what, agents: kept['archive.user_agents'] }).toEqual({
        what,
        agents: changed['public.user_agents'],
      })
      await migrate(at.db)
      await rollback(at.db, { to: baseline })
      for (const table of ['public.user_agents', 'public.memories'])
        expect({ what, rows: (await readRows(at.admin))[table] }).toEqual({ what, rows: changed[table] })
    }
  },
)
