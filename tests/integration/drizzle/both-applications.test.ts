import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { sharedDatabase, signUp, statementsAs } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { addCatalog } from '../../support/rows.ts'

describe.for(['up', 'down'])('between expand and contract, on the way %s', way => {
  let user: string
  // New projects grant nothing by default: whatever the applications may do, we granted them.
  const at = sharedDatabase('stub_new', async ({ admin, db }) => {
    await migrate(db, { to: baseline })
    await addCatalog(admin)
    await migrate(db, way === 'up' ? { to: 'add_agent_prompts' } : {})
    if (way === 'down') await rollback(db, { to: 'add_agent_prompts' })
    user = await signUp(admin)
  })
  /** As the backends connect, old and new. */
  const run = statementsAs('service_role', at)

  async function agentOf(type: string): Promise<string> {
    const [agent] = await run`select id from user_agents where user_id = ${user} and agent_type = ${type}`
    return agent?.id
  }

  test('a sign-up serves both: a profile with agent_prompts, and agents', async () => {
    const id = await signUp(at.admin)
    expect(await run`select settings from profiles where id = ${id}`).toEqual([
      { settings: { agent_prompts: {} } },
    ])
    expect(await run`select from user_agents where user_id = ${id}`).toHaveLength(3)
  })

  test('the old application makes, reads, changes and deletes a user’s agents', async () => {
    const type = 'RESULT_REPORTING'
    await run`delete from user_agents where user_id = ${user} and agent_type = ${type}`
    const [made] = await run`
      insert into user_agents (id, user_id, llm_id, agent_type, config, status, created_by, updated_by)
      select ${randomUUID()}::uuid, ${user}, llm_id, agent_type, config, status, ${user}, ${user}
        from user_agent_catalog where agent_type = ${type}
      returning id`
    expect(await agentOf(type)).toBe(made?.id)
    const changed = await run`
      update user_agents
         set config = config || '{"prompt": "mine"}', deleted_at = now(), updated_by = ${user}, updated_at = now()
       where id = ${made?.id} returning config ->> 'prompt' as prompt, deleted_at is not null as deleted`
    expect(changed).toEqual([{ prompt: 'mine', deleted: true }])
  })

  test('the old application writes memories with their agent, and moves them', async () => {
    const [agent, another] = [await agentOf('TASK_EXECUTION'), await agentOf('INTENT_RECOGNITION')]
    const [work, own] = await run`
      insert into memories (user_id, agent_id, memory_type, content, status)
      values (${user}, ${agent}, 'work', 'of work', 'active'), (${user}, null, 'user', 'of the user', 'active')
      returning id, agent_id`
    expect([work?.agent_id, own?.agent_id]).toEqual([agent, null])
    expect(
      await run`update memories set agent_id = ${another} where id = ${work?.id} returning agent_id`,
    ).toEqual([{ agent_id: another }])
    expect(
      await run`
        update memories set memory_type = 'work', agent_id = ${another} where id = ${own?.id} returning agent_id`,
    ).toEqual([{ agent_id: another }])
    expect(
      await run`select from memories where agent_id = ${another} and memory_type = 'work' and status = 'active'`,
    ).toHaveLength(2)
  })

  test('the old application may still not give a user memory an agent', async () => {
    const write = run`
      insert into memories (user_id, agent_id, memory_type, content, status)
      values (${user}, ${await agentOf('TASK_EXECUTION')}, 'user', 'content', 'active')`
    await expect(write).rejects.toMatchObject({ code: '23514', constraint_name: 'chk_memory_type_agent_id' })
  })

  test('the new application writes memories without an agent, and changes their type', async () => {
    const agent = await agentOf('TASK_EXECUTION')
    const [work, own] = await run`
      insert into memories (user_id, memory_type, content, status)
      values (${user}, 'work', 'of work', 'active'), (${user}, 'user', 'of the user', 'active')
      returning id, agent_id`
    expect([work?.agent_id, own?.agent_id]).toEqual([agent, null])
    for (const [memory, memory_type, agent_id] of [
      [work, 'user', null],
      [work, 'work', agent],
      [own, 'work', agent],
    ] as const) {
      const turned = await run`
        update memories set memory_type = ${memory_type} where id = ${memory?.id} returning memory_type, agent_id`
      expect(turned).toEqual([{ memory_type, agent_id }])
    }
  })

  test('the catalog has both names, for every verb', async () => {
    const [made] = await run`
      insert into system_agents (agent_type, llm_id, status) values ('PLANNING', md5('model 1')::uuid, 'active')
      returning id, config, created_at = updated_at as fresh`
    expect(made).toEqual({ id: expect.any(String), config: {}, fresh: true })
    const upserted = await run`
      insert into system_agents (agent_type, llm_id, config, status)
      values ('PLANNING', md5('model 2')::uuid, '{"prompt": "new"}', 'inactive')
          on conflict (agent_type) do update
         set llm_id = excluded.llm_id, config = excluded.config, status = excluded.status, updated_at = now()
       where (system_agents.config, system_agents.status) is distinct from (excluded.config, excluded.status)
      returning id, config`
    expect(upserted).toEqual([{ id: made?.id, config: { prompt: 'new' } }])
    expect(
      await run`update user_agent_catalog set status = 'active' where agent_type = 'PLANNING' returning id`,
    ).toEqual([{ id: made?.id }])
    expect(
      await run`select from user_agent_catalog join system_agents using (id, config, status, llm_id)`,
    ).toHaveLength(4)
    await run`update system_agents set status = 'inactive' where agent_type = 'PLANNING'`
    await run`delete from system_agents where agent_type = 'PLANNING'`
    expect(await run`select from user_agent_catalog`).toHaveLength(3)
    await run`
      insert into user_agent_catalog (agent_type, llm_id, status) values ('OLD', md5('model 1')::uuid, 'active')`
    expect(await run`delete from user_agent_catalog where agent_type = 'OLD' returning 1`).toHaveLength(1)
  })

  test('the new name keeps the rules of the table', async () => {
    const write = (type: string, status: string) => run`
      insert into system_agents (agent_type, llm_id, status) values (${type}, md5('model 1')::uuid, ${status})`
    await expect(write('TASK_EXECUTION', 'active')).rejects.toMatchObject({ code: '23505' })
    await expect(write('PLANNING', 'odd')).rejects.toMatchObject({ code: '23514' })
  })

  test('an agent type that the old schema does not know prevents no sign-up', async () => {
    await run`
      insert into system_agents (agent_type, llm_id, status) values ('PLANNING', md5('model 1')::uuid, 'active')`
    const id = await signUp(at.admin)
    expect(await run`select from user_agents where user_id = ${id}`).toHaveLength(3)
    await run`delete from system_agents where agent_type = 'PLANNING'`
  })

  test('both write settings, each in its own way', async () => {
    const prompts = '{"agent_prompts": {"TASK_EXECUTION": "mine"}}'
    for (const text of ['{"theme": "dark"}', prompts]) {
      const written = await run`
        update profiles set settings = ${text}::text::jsonb where id = ${user} returning settings::text as text`
      expect(written).toEqual([{ text }])
    }
    const merged = await run`
      update profiles set settings = jsonb_set(settings, '{agent_prompts,RESULT_REPORTING}', '"too"')
       where id = ${user} returning settings`
    expect(merged).toEqual([
      { settings: { agent_prompts: { TASK_EXECUTION: 'mine', RESULT_REPORTING: 'too' } } },
    ])
  })
})
