import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { ownClient } from '../../support/client.ts'
import { ownDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { readRows } from '../../support/rows.ts'

/** One of the agents that no memory needs, and one of the work memories; each change has its own. */
const agent = (n: number) => `(
  select id from public.user_agents a
   where not exists (select from public.memories m where m.agent_id = a.id) order by id offset ${n} limit 1)`
const memory = (n: number) =>
  `(select id from public.memories where memory_type = 'work' order by id offset ${n} limit 1)`

/** What the old application may do to a row that is copied. */
const changes: Record<string, string> = {
  'an agent is edited': `update public.user_agents set status = 'edited' where id = ${agent(9)}`,
  'an agent is given another id': `update public.user_agents set id = gen_random_uuid() where id = ${agent(6)}`,
  'an agent is deleted': `delete from public.user_agents where id = ${agent(3)}`,
  'a memory is given to another agent': `
    update public.memories m
       set agent_id = (select id from public.user_agents a where a.id <> m.agent_id limit 1) where id = ${memory(9)}`,
  'a memory is taken from its agent': `
    update public.memories set memory_type = 'user', agent_id = null where id = ${memory(6)}`,
  'a memory is deleted': `delete from public.memories where id = ${memory(3)}`,
}

test.each(['read committed', 'repeatable read', 'serializable'])(
  'a client at %s changes rows that were copied after its snapshot: it fails with 40001, or the copy is right',
  async level => {
    const at = await ownDatabase('baseline of 20 users and 60 memories')
    await migrate(at.db, { to: 'serve_both_applications' })
    const clients = Object.entries(changes).map(([what, change]) => ({
      what,
      change,
      sql: ownClient(at.url),
    }))
    for (const { sql } of clients)
      await sql.unsafe(`begin isolation level ${level}; select from public.user_agents`)
    await migrate(at.db, { to: 'archive_user_agents' })
    for (const { what, change, sql } of clients) {
      const outcome = await sql.unsafe(change).then(
        ({ count }) => count,
        ({ code }) => code,
      )
      expect({ what, outcome }).toEqual({ what, outcome: level === 'read committed' ? 1 : '40001' })
      await sql.unsafe(outcome === 1 ? 'commit' : 'rollback')
      if (outcome !== 1) expect((await sql.unsafe(change)).count).toBe(1)
    }
    const changed = await readRows(at.admin)
    const kept = await readRows(at.admin, ['archive'])
    expect(kept['archive.user_agents']).toEqual(changed['public.user_agents'])
    await migrate(at.db)
    await rollback(at.db, { to: baseline })
    const restored = await readRows(at.admin)
    for (const table of ['public.user_agents', 'public.memories'])
      expect({ table, rows: restored[table] }).toEqual({ table, rows: changed[table] })
  },
)
