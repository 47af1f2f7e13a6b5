import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'vitest'
import * as schema from '../../../src/schema.ts'
import { agentTypes, memoryTypes, systemAgentStatuses } from '../../../src/schema.ts'
import { asRole, sharedDatabase, signUp, undoneIn } from '../../support/database.ts'
import { addModel } from '../../support/rows.ts'
import { refusal, restricted } from './refusal.ts'

let user: string
let model: string
const at = sharedDatabase('today', async ({ admin }) => {
  user = await signUp(admin)
  await admin`delete from public.profiles`
  model = await addModel(admin, 'model')
})

type Row = Record<string, unknown>

/** What a row of each table has to say for itself, and what it has otherwise. */
const tables: Record<string, { says: () => Row; has?: Row }> = {
  llms: {
    says: () => ({
      model_code: 'provider/model-1',
      provider: 'p',
      display_name: 'Model 1',
      status: 'active',
    }),
    has: { config: {} },
  },
  memories: { says: () => ({ user_id: user, memory_type: 'user', content: 'content', status: 'active' }) },
  profiles: {
    says: () => ({ id: user }),
    has: { username: null, avatar_url: null, bio: null, settings: { agent_prompts: {} } },
  },
  system_agents: {
    says: () => ({ agent_type: 'TASK_EXECUTION', llm_id: model, status: 'active' }),
    has: { config: {} },
  },
}

/** What comes of a row with these columns, after others: the refusal, or nothing. All of it is undone. */
async function insert(table: string, columns: Row, ...others: Row[]) {
  let outcome: Awaited<ReturnType<typeof refusal>>
  await undoneIn(at.sql, async tx => {
    for (const other of others)
      await tx`insert into ${tx(table)} ${tx({ ...tables[table]!.says(), ...other })}`
    outcome = await refusal(
      tx.savepoint(sp => sp`insert into ${sp(table)} ${sp({ ...tables[table]!.says(), ...columns })}`),
    )
  })
  return outcome
}

describe.each(
  Object.values(schema)
    .filter(value => is(value, PgTable))
    .map(getTableConfig),
)('$name', ({ name, columns }) => {
  test('a row has its defaults, and two equal times, unless it says otherwise', async () => {
    await undoneIn(at.sql, async tx => {
      const { says, has } = tables[name]!
      const [row] = await tx`insert into ${tx(name)} ${tx(says())} returning *`
      expect(row).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        ...says(),
        ...has,
        created_at: expect.any(String),
        updated_at: row?.created_at,
      })
    })
  })

  test('a column is null, and text is long, only where src/schema says so', async () => {
    for (const column of columns) {
      const put = (value: unknown) => insert(name, { [column.name]: value })
      expect((await put(null))?.code, column.name).toBe(column.notNull ? '23502' : undefined)
      const { length, enumValues } = column as { length?: number; enumValues?: string[] }
      if (length === undefined) continue
      // Where few values are allowed, a check refuses what would fit.
      expect((await put('ü'.repeat(length)))?.code).toBe(enumValues ? '23514' : undefined)
      expect(await put('ü'.repeat(length + 1))).toMatchObject({ code: '22001' })
    }
  })

  test('two rows of one id are refused', async () => {
    const id = name === 'profiles' ? user : '00000000-0000-0000-0000-00000000000a'
    const others = { model_code: 'another', agent_type: 'ANOTHER' }
    const other = columns.flatMap(column => Object.entries(others).filter(([name]) => name === column.name))
    const refused = await insert(name, { ...Object.fromEntries(other), id }, { id })
    expect(refused).toEqual({ code: '23505', constraint: `${name}_pkey` })
  })
})

const nobody = '00000000-0000-0000-0000-000000000000'
test.each<[what: string, table: string, columns: Row, code: string, constraint: string]>([
  ['a second model of one code', 'llms', { provider: 'another' }, '23505', 'uq_llms_model_code'],
  [
    'a second agent of one type',
    'system_agents',
    { status: 'inactive' },
    '23505',
    'uq_system_agents_agent_type',
  ],
  [
    'an agent of no model',
    'system_agents',
    { llm_id: nobody, agent_type: 'T' },
    '23503',
    'fk_system_agents_llm_id',
  ],
  ['a memory of no user', 'memories', { user_id: nobody }, '23503', 'fk_memories_user_id'],
  ['a profile of no user', 'profiles', { id: nobody }, '23503', 'fk_profiles_id'],
])('%s is refused', async (_, table, columns, code, constraint) => {
  expect(await insert(table, columns, {})).toEqual({ code, constraint })
})

test.each<
  [table: string, column: string, allowed: readonly string[], refused: string[], constraint?: string]
>([
  ['memories', 'memory_type', memoryTypes, ['', 'Work', 'agent', ' user'], 'chk_memories_memory_type'],
  [
    'system_agents',
    'status',
    systemAgentStatuses,
    ['', 'Active', 'deleted', ' active'],
    'chk_system_agents_status',
  ],
  // These sets are open.
  ['system_agents', 'agent_type', [...agentTypes, 'A_FOURTH_TYPE'], []],
  ['llms', 'status', ['', 'preview', 'ACTIVE'], []],
  ['llms', 'model_code', ['PROVIDER/model-1', ''], []],
  ['memories', 'status', ['', 'preview', 'ACTIVE'], []],
  ['memories', 'content', ['', 'c'.repeat(1_000_000)], []],
])(
  '%s.%s takes what it should, and refuses the rest',
  async (table, column, allowed, refused, constraint) => {
    for (const value of allowed) expect(await insert(table, { [column]: value })).toBeUndefined()
    for (const value of refused)
      expect(await insert(table, { [column]: value })).toEqual({ code: '23514', constraint })
  },
)

test('a model stays as long as an agent runs on it', async () => {
  await undoneIn(at.admin, async tx => {
    await tx`insert into public.llms ${tx(tables.llms!.says())}`
    await tx`insert into public.system_agents ${tx(tables.system_agents!.says())}`
    expect(await refusal(tx.savepoint(sp => sp`delete from public.llms where id = ${model}`))).toEqual({
      code: expect.stringMatching(restricted),
      constraint: 'fk_system_agents_llm_id',
    })
    expect((await tx`delete from public.llms where id <> ${model}`).count).toBe(1)
  })
})

test.each(['memories', 'profiles'])('%s go with their user, and nobody else’s do', async table => {
  const leaver = await signUp(at.admin)
  await at.admin`
    insert into public.memories (user_id, memory_type, content, status)
    select unnest(${[leaver, user]}::uuid[]), 'work', 'content', 'active'`
  await at.admin`insert into public.profiles (id) values (${user}) on conflict do nothing`
  const owner = at.admin(table === 'memories' ? 'user_id' : 'id')
  const owners = async () =>
    (await at.admin`select ${owner} as owner from ${at.admin(table)}`).map(row => row.owner).sort()
  expect(await owners()).toEqual([leaver, user].sort())
  await asRole(at.admin, 'supabase_auth_admin', tx => tx`delete from auth.users where id = ${leaver}`)
  expect(await owners()).toEqual([user])
  await at.admin`delete from public.memories`
  await at.admin`delete from public.profiles`
})

test('one user’s memories of one type and state are found by an index', async () => {
  await undoneIn(at.sql, async tx => {
    await tx`set local enable_seqscan = off`
    const plan = await tx`
      explain select * from public.memories
       where user_id = ${user} and memory_type = 'work' and status = 'active'`
    const lines = plan.map(row => row['QUERY PLAN']).join('\n')
    expect(lines).toContain('ix_memories_user_id_memory_type_status')
  })
})
