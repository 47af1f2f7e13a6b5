import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { asRole, createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { addCatalog } from '../../support/rows.ts'

describe.for(['up', 'down'])('between expand and contract, on the way %s', way => {
  let database: TestDatabase
  let user: string

  beforeAll(async () => {
    // New projects grant nothing by default: whatever the applications may, we gave them.
    database = await createDatabase('stub_new')
    await migrate(database.db, { to: baseline })
    await addCatalog(database.admin)
    await migrate(database.db, way === 'up' ? { to: 'archive_what_users_own' } : {})
    if (way === 'down') await rollback(database.db, { to: 'archive_what_users_own' })
    user = await signUp(database.admin)
  })
  afterAll(() => database.drop())

  /** As the backends connect, old and new. */
  const application = <T>(work: (tx: postgres.TransactionSql) => Promise<T>) =>
    asRole(database.admin, 'service_role', work)

  async function agentOf(type: string): Promise<string> {
    const [agent] = await application(
      tx => tx`select id from public.user_agents where user_id = ${user} and agent_type = ${type}`,
    )
    return agent?.id
  }

  test('a sign-up serves both: a profile with agent_prompts, and agents', async () => {
    const id = await signUp(database.admin)
    const [profile] = await application(tx => tx`select settings from profiles where id = ${id}`)
    expect(profile).toEqual({ settings: { agent_prompts: {} } })
    expect(await application(tx => tx`select from user_agents where user_id = ${id}`)).toHaveLength(3)
  })

  test('the old application makes, reads, changes and deletes a user’s agents', async () => {
    const type = 'RESULT_REPORTING'
    await application(tx => tx`delete from user_agents where user_id = ${user} and agent_type = ${type}`)
    const [made] = await application(
      tx => tx`
        insert into user_agents (id, user_id, llm_id, agent_type, config, status, created_by, updated_by)
        select ${randomUUID()}::uuid, ${user}, llm_id, agent_type, config, status, ${user}, ${user}
          from user_agent_catalog where agent_type = ${type}
        returning id`,
    )
    expect(await agentOf(type)).toBe(made?.id)
    const [changed] = await application(
      tx => tx`
        update user_agents set config = config || '{"prompt": "mine"}', deleted_at = now(), updated_by = ${user}, updated_at = now()
         where id = ${made?.id} returning config ->> 'prompt' as prompt, deleted_at is not null as deleted`,
    )
    expect(changed).toEqual({ prompt: 'mine', deleted: true })
  })

  test('the old application writes memories with their agent, and moves them', async () => {
    const [agent, another] = [await agentOf('TASK_EXECUTION'), await agentOf('INTENT_RECOGNITION')]
    const [work, own] = await application(
      tx => tx`
        insert into memories (user_id, agent_id, memory_type, content, status)
        values (${user}, ${agent}, 'work', 'of work', 'active'), (${user}, null, 'user', 'of the user', 'active')
        returning id, agent_id`,
    )
    expect([work?.agent_id, own?.agent_id]).toEqual([agent, null])
    const [moved] = await application(
      tx => tx`update memories set agent_id = ${another} where id = ${work?.id} returning agent_id`,
    )
    expect(moved).toEqual({ agent_id: another })
    const [turned] = await application(
      tx =>
        tx`update memories set memory_type = 'work', agent_id = ${another} where id = ${own?.id} returning agent_id`,
    )
    expect(turned).toEqual({ agent_id: another })
    const found = await application(
      tx =>
        tx`select id from memories where agent_id = ${another} and memory_type = 'work' and status = 'active'`,
    )
    expect(found).toHaveLength(2)
  })

  test('the old application is still told of a user memory that has an agent', async () => {
    const agent = await agentOf('TASK_EXECUTION')
    const write = application(
      tx => tx`insert into memories (user_id, agent_id, memory_type, content, status)
               values (${user}, ${agent}, 'user', 'content', 'active')`,
    )
    await expect(write).rejects.toMatchObject({ code: '23514', constraint_name: 'chk_memory_type_agent_id' })
  })

  test('the new application writes memories without an agent, and changes their type', async () => {
    const agent = await agentOf('TASK_EXECUTION')
    const [work, own] = await application(
      tx => tx`
        insert into memories (user_id, memory_type, content, status)
        values (${user}, 'work', 'of work', 'active'), (${user}, 'user', 'of the user', 'active')
        returning id, agent_id`,
    )
    expect([work?.agent_id, own?.agent_id]).toEqual([agent, null])
    const turn = async (id: string, type: string) =>
      (
        await application(
          tx =>
            tx`update memories set memory_type = ${type} where id = ${id} returning memory_type, agent_id`,
        )
      )[0]
    expect(await turn(work?.id, 'user')).toEqual({ memory_type: 'user', agent_id: null })
    expect(await turn(work?.id, 'work')).toEqual({ memory_type: 'work', agent_id: agent })
    expect(await turn(own?.id, 'work')).toEqual({ memory_type: 'work', agent_id: agent })
  })

  test('the catalog has both names, for every verb', async () => {
    const [made] = await application(
      tx => tx`
        insert into system_agents (agent_type, llm_id, status) values ('PLANNING', md5('model 1')::uuid, 'active')
        returning id, config, created_at = updated_at as fresh`,
    )
    expect(made).toEqual({ id: expect.any(String), config: {}, fresh: true })
    const [upserted] = await application(
      tx => tx`
        insert into system_agents (agent_type, llm_id, config, status)
        values ('PLANNING', md5('model 2')::uuid, '{"prompt": "new"}', 'inactive')
            on conflict (agent_type) do update
           set llm_id = excluded.llm_id, config = excluded.config, status = excluded.status, updated_at = now()
         where (system_agents.config, system_agents.status) is distinct from (excluded.config, excluded.status)
        returning id, config`,
    )
    expect(upserted).toEqual({ id: made?.id, config: { prompt: 'new' } })
    const [byOldName] = await application(
      tx => tx`update user_agent_catalog set status = 'active' where agent_type = 'PLANNING' returning id`,
    )
    expect(byOldName).toEqual({ id: made?.id })
    const both = await application(
      tx => tx`select o.id from user_agent_catalog o join system_agents n using (id, config, status, llm_id)`,
    )
    expect(both).toHaveLength(4)
    await application(tx => tx`update system_agents set status = 'inactive' where agent_type = 'PLANNING'`)
    await application(tx => tx`delete from system_agents where agent_type = 'PLANNING'`)
    expect(await application(tx => tx`select from user_agent_catalog`)).toHaveLength(3)
    await application(
      tx =>
        tx`insert into user_agent_catalog (agent_type, llm_id, status) values ('OLD', md5('model 1')::uuid, 'active')`,
    )
    expect(
      await application(tx => tx`delete from user_agent_catalog where agent_type = 'OLD'`),
    ).toMatchObject({
      count: 1,
    })
  })

  test('the new name keeps the rules of the table', async () => {
    const write = (type: string, status: string) =>
      application(
        tx =>
          tx`insert into system_agents (agent_type, llm_id, status) values (${type}, md5('model 1')::uuid, ${status})`,
      )
    await expect(write('TASK_EXECUTION', 'active')).rejects.toMatchObject({ code: '23505' })
    await expect(write('PLANNING', 'odd')).rejects.toMatchObject({ code: '23514' })
  })

  test('a type of agent that the old schema does not know stops no sign-up', async () => {
    await application(
      tx =>
        tx`insert into system_agents (agent_type, llm_id, status) values ('PLANNING', md5('model 1')::uuid, 'active')`,
    )
    const id = await signUp(database.admin)
    expect(await application(tx => tx`select from user_agents where user_id = ${id}`)).toHaveLength(3)
    await application(tx => tx`delete from system_agents where agent_type = 'PLANNING'`)
  })

  test('both write settings, each in its own way', async () => {
    const write = async (json: string) =>
      (
        await application(
          tx =>
            tx`update profiles set settings = ${json}::text::jsonb where id = ${user} returning settings::text as text`,
        )
      )[0]?.text
    const prompts = '{"agent_prompts": {"TASK_EXECUTION": "mine"}}'
    expect(await write('{"theme": "dark"}')).toBe('{"theme": "dark"}')
    expect(await write(prompts)).toBe(prompts)
    const [merged] = await application(
      tx => tx`
        update profiles set settings = jsonb_set(settings, '{agent_prompts,RESULT_REPORTING}', '"too"')
         where id = ${user} returning settings`,
    )
    expect(merged?.settings).toEqual({ agent_prompts: { TASK_EXECUTION: 'mine', RESULT_REPORTING: 'too' } })
  })
})
