import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { baseline, migrationsSince } from '../../support/migrations.ts'
import { AGENT_TYPES, readRows } from '../../support/rows.ts'
import { all, seedOf } from '../../support/sample.ts'
import { canonical, type Json, type State, wayBack } from './model.ts'

/** Of `pnpm test`, of `pnpm test:all`, or more on demand; a few in each test, as each has its time limit. */
const runs = Number(process.env.PROPERTY_RUNS ?? (all ? 40 : 3))
const RUNS_IN_A_TEST = 5
const parts = Array.from({ length: Math.ceil(runs / RUNS_IN_A_TEST) }, (_, i) => i + 1)

const json = fc
  .jsonValue({ maxDepth: 2, stringUnit: 'binary' })
  .map(value => JSON.stringify(value))
  // PostgreSQL's text cannot hold it.
  .filter(text => !text.includes('\\u0000'))
const object = fc.dictionary(fc.string({ maxLength: 5 }), json, { maxKeys: 2 })
const toText = (entries: Record<string, string>) =>
  `{${Object.entries(entries).map(([key, value]) => `${JSON.stringify(key)}: ${value}`)}}`
const settings = fc.oneof(
  json,
  object.map(toText),
  fc.tuple(object, json).map(([rest, prompts]) => toText({ ...rest, agent_prompts: prompts })),
)
/** What the new application may write. */
const newSettings = fc
  .tuple(object, fc.oneof(fc.constant('{}'), object.map(toText)))
  .map(([rest, prompts]) => toText({ ...rest, agent_prompts: prompts }))

const any = fc.nat({ max: 1000 })
const agent = fc.record({
  config: json,
  status: fc.constantFrom('active', 'inactive', ''),
  deleted: fc.boolean(),
  maker: fc.option(any),
  removed: fc.boolean(),
})
const story = fc.record({
  catalog: fc.subarray([...AGENT_TYPES]),
  users: fc.array(fc.record({ early: fc.boolean(), settings, agents: fc.array(agent, { maxLength: 3 }) }), {
    maxLength: 5,
  }),
  memories: fc.array(fc.record({ owner: any, agent: fc.option(any) }), { maxLength: 8 }),
  point: fc.constantFrom(
    ...migrationsSince.slice(migrationsSince.indexOf('rename_catalog_and_drop_user_agents')),
  ),
  since: fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('sign up' as const) }),
      fc.record({ do: fc.constant('leave' as const), which: any }),
      fc.record({ do: fc.constant('remember' as const), which: any, type: fc.constantFrom('work', 'user') }),
      fc.record({ do: fc.constant('forget' as const), which: any }),
      fc.record({ do: fc.constant('retype' as const), which: any, type: fc.constantFrom('work', 'user') }),
      fc.record({ do: fc.constant('set' as const), which: any, settings: newSettings }),
      fc.record({ do: fc.constant('plan' as const), config: json }),
    ),
    { maxLength: 12 },
  ),
})
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never

const pick = <T>(list: T[], number: number): T | undefined => list[number % Math.max(list.length, 1)]

async function begin({ admin }: TestDatabase, { catalog, users, memories }: Story): Promise<void> {
  await admin`
    insert into public.llms (id, model_code, provider, display_name, status)
    values (md5('model 1')::uuid, 'model-1', 'provider', 'Model 1', 'active')`
  const ids = users.map(() => randomUUID() as string)
  for (const [i, { early }] of users.entries()) if (early) await signUp(admin, { id: ids[i]! })
  await admin`
    insert into public.user_agent_catalog (agent_type, llm_id, status)
    select type, md5('model 1')::uuid, 'active' from unnest(${catalog}::text[]) type`
  for (const [i, { early }] of users.entries()) if (!early) await signUp(admin, { id: ids[i]! })
  for (const [i, user] of users.entries()) {
    await admin`update public.profiles set settings = ${user.settings}::text::jsonb where id = ${ids[i]!}`
    for (const [type, edit] of user.agents.entries()) {
      const where = admin`user_id = ${ids[i]!} and agent_type = ${AGENT_TYPES[type]!}`
      if (edit.removed) await admin`delete from public.user_agents where ${where}`
      await admin`
        update public.user_agents
           set config = ${edit.config}::text::jsonb, status = ${edit.status},
               deleted_at = case when ${edit.deleted}::boolean then 'infinity'::timestamptz end,
               created_by = ${edit.maker === null ? null : pick(ids, edit.maker)!},
               updated_by = ${edit.maker === null ? null : pick(ids, edit.maker + 1)!}
         where ${where}`
    }
  }
  const agents = await admin`select id from public.user_agents order by user_id, agent_type`
  for (const memory of memories) {
    const [owner, agent] = [
      pick(ids, memory.owner),
      memory.agent === null ? undefined : pick([...agents], memory.agent),
    ]
    if (!owner) continue
    await admin`
      insert into public.memories (user_id, agent_id, memory_type, content, status)
      values (${owner}, ${agent?.id ?? null}, ${agent ? 'work' : 'user'}, '', 'active')`
  }
}

async function goOn({ admin }: TestDatabase, { since }: Story): Promise<void> {
  const users = (await admin`select id from public.profiles order by created_at, id`).map(({ id }) => id)
  const memories = (await admin`select id from public.memories order by created_at, id`).map(({ id }) => id)
  for (const step of since) {
    const user = 'which' in step ? pick(users, step.which) : undefined
    const memory = 'which' in step ? pick(memories, step.which) : undefined
    if (step.do === 'sign up') users.push(await signUp(admin))
    else if (step.do === 'leave' && user) await admin`delete from auth.users where id = ${user}`
    else if (step.do === 'forget' && memory) await admin`delete from public.memories where id = ${memory}`
    else if (step.do === 'retype' && memory)
      await admin`update public.memories set memory_type = ${step.type} where id = ${memory}`
    else if (step.do === 'set' && user)
      await admin`update public.profiles set settings = ${step.settings}::text::jsonb where id = ${user}`
    else if (step.do === 'plan')
      await admin`
        insert into public.system_agents (agent_type, llm_id, config, status)
        values ('PLANNING', md5('model 1')::uuid, ${step.config}::text::jsonb, 'active')
            on conflict (agent_type) do update set config = excluded.config`
    else if (step.do === 'remember' && user)
      await admin`
        insert into public.memories (user_id, memory_type, content, status)
        select id, ${step.type}, '', 'active' from public.profiles where id = ${user}`
  }
}

async function look({ admin }: TestDatabase): Promise<State> {
  const [{ old } = {}] = await admin`select to_regclass('public.user_agents') is not null as old`
  const profiles = await admin`select id, settings::text from public.profiles`
  return {
    profiles: new Map(profiles.map(({ id, settings }) => [id, JSON.parse(settings) as Json])),
    agents: old
      ? [
          ...(await admin<State['agents']>`
            select id, user_id, agent_type, created_by, updated_by,
                   row(llm_id, config, status, created_at, updated_at, deleted_at)::text as rest
              from public.user_agents order by id`),
        ]
      : [],
    memories: [
      ...(await admin<State['memories']>`
        select id, user_id, memory_type, ${old ? admin`agent_id` : admin`null as agent_id`} from public.memories order by id`),
    ],
  }
}

async function roundTrip(database: TestDatabase, story: Story): Promise<void> {
  const { admin, db } = database
  await begin(database, story)
  const old = await look(database)
  await migrate(db, { to: story.point })
  await goOn(database, story)

  const expected = () => look(database).then(now => wayBack(old, now, story.catalog))
  const { stranded } = await expected()
  if (stranded > 0) {
    const before = await readRows(admin)
    await expect(rollback(db, { to: baseline })).rejects.toMatchObject({
      sqlState: '55000',
      message: expect.stringContaining(`public.memories: ${stranded} work memories`),
    })
    expect(await readRows(admin)).toMatchObject(before)
    await migrate(db, { to: story.point })
    await admin`update public.memories set memory_type = 'user'`
  }
  const wanted = await expected()
  const before = await readRows(admin)
  await rollback(db, { to: baseline })
  const found = await look(database)

  expect(texts(found.profiles)).toEqual(texts(wanted.profiles))
  const isNew = (user: string) => wanted.newcomers.includes(user)
  expect(found.agents.filter(agent => !isNew(agent.user_id))).toEqual(wanted.agents)
  const given = found.agents.filter(agent => isNew(agent.user_id))
  expect(
    given
      .map(({ user_id, agent_type, created_by, updated_by }) => [user_id, agent_type, created_by, updated_by])
      .sort(),
  ).toEqual(wanted.newcomers.flatMap(user => story.catalog.map(type => [user, type, user, user])).sort())
  expect(found.memories).toEqual(
    wanted.memories.map(memory => {
      if (!('agent_of' in memory)) return memory
      const { agent_of, ...rest } = memory
      return {
        ...rest,
        agent_id: given.find(a => a.user_id === agent_of && a.agent_type === 'TASK_EXECUTION')?.id,
      }
    }),
  )

  await migrate(db, { to: story.point })
  expect(await readRows(admin)).toEqual(before)
}

const texts = (profiles: State['profiles']) =>
  [...profiles].map(([user, settings]) => `${user} ${canonical(settings)}`).sort()

test.for(parts)(
  'whatever users did before and in between, the way back loses nothing, and the way up finds it again: part %i',
  async part => {
    await fc.assert(
      fc.asyncProperty(story, async story => {
        const database = await createDatabase('baseline')
        try {
          await roundTrip(database, story)
        } finally {
          await database.drop()
        }
      }),
      {
        numRuns: Math.min(runs, RUNS_IN_A_TEST),
        seed: seedOf(`property ${part}`),
        endOnFailure: process.env.PROPERTY_RUNS === undefined,
      },
    )
  },
)
