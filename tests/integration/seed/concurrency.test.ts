import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { SEED_LOCK, seed } from '../../../src/seed.ts'
import { sharedDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { all } from '../../support/sample.ts'
import { agent, documents, model } from '../../support/seed-texts.ts'

const database = sharedDatabase('today')

/** How often each race is run. */
const rounds = all ? 20 : 5

const numbers = Array.from({ length: 50 }, (_, i) => i)
const forwards = (status: string) =>
  documents(
    numbers.map(i => model(`m${i}`, { status })),
    numbers.map(i => agent(`T${i}`, `m${i}`, { status })),
  )
const backwards = (status: string) =>
  documents(
    numbers.toReversed().map(i => model(`m${i}`, { status })),
    numbers.toReversed().map(i => agent(`T${i}`, `m${i}`, { status })),
  )

test('two at once on empty tables both succeed, every time', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await database.admin`truncate llms, system_agents cascade`
    const [one, two] = await Promise.all([
      seed(database.db, forwards('active')),
      seed(database.db, backwards('active')),
    ])
    for (const table of ['llms', 'agents'] as const) {
      expect([one[table].created.length, two[table].created.length].toSorted()).toEqual([0, 50])
      expect([one[table].unchanged.length, two[table].unchanged.length].toSorted()).toEqual([0, 50])
    }
  }
})

test('two at once that disagree, in opposite order on full tables, both succeed, every time', async () => {
  await seed(database.db, forwards('active'))
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all([seed(database.db, forwards('active')), seed(database.db, backwards('inactive'))])
    const [row] = await database.sql`
      select count(distinct status)::int as states, count(*)::int as agents from system_agents`
    expect(row).toEqual({ states: 1, agents: 50 })
  }
})

test('one that prunes and one that adds, both succeed, every time', async () => {
  const { models, agents } = forwards('active').documents
  const all = { llms: models.map(m => m.model_code), agents: agents.map(a => a.agent_type) }
  let before = 50
  await seed(database.db, forwards('active'))
  for (let round = 0; round < rounds; round += 1) {
    const [added, pruned] = await Promise.all([
      seed(database.db, forwards('active')),
      seed(database.db, { ...documents('', ''), prune: all }),
    ])
    const [row] = await database.sql`select count(*)::int as agents from system_agents`
    expect([0, 50]).toContain(row?.agents)
    expect(added.agents.created.length - pruned.agents.removed.length).toBe(row?.agents - before)
    before = row?.agents
  }
})

test('a seed waits for the one before it and sees its rows, whatever isolation is the default', async () => {
  await database.admin`truncate llms, system_agents cascade`
  const client = postgres(database.url, { connection: { default_transaction_isolation: 'serializable' } })
  try {
    const { second } = await database.admin.begin(async tx => {
      await tx`select pg_advisory_xact_lock(${SEED_LOCK}::bigint)`
      const second = seed(drizzle({ client }), documents([model('m')], []))
      await eventually(waiting).toBe(1)
      await tx`insert into llms (model_code, provider, display_name, status, config)
               values ('m', 'provider', 'Model m', 'active', '{"context_window": 1000}')`
      return { second }
    })
    expect((await second).llms.unchanged).toEqual(['m'])
  } finally {
    await client.end()
  }
})

test.each([
  [
    'an agent',
    sql => sql`insert into system_agents (agent_type, llm_id, status, config)
                          select 'NEW', id, 'active', '{}' from llms where model_code = 'old'`,
    'agent "NEW"',
  ],
  [
    'another table',
    sql => sql`insert into others select id from llms where model_code = 'old'`,
    'public.others',
  ],
] satisfies [string, (sql: postgres.TransactionSql) => Promise<unknown>, string][])(
  'prune waits for whoever is giving a model to %s, and then leaves it and says so',
  async (_, use, user) => {
    await database.admin`truncate llms, system_agents cascade`
    await database.sql`create table if not exists others (used uuid references llms)`
    await seed(database.db, documents([model('kept'), model('old'), model('unused')], []))
    const { pruning } = await database.admin.begin(async tx => {
      await use(tx)
      const pruning = seed(database.db, { ...documents([model('kept')], []), prune: true })
      pruning.catch(() => {})
      await eventually(waiting).toBe(1)
      return { pruning }
    })
    const { llms, notes } = await pruning
    expect(llms).toMatchObject({ unchanged: ['kept'], orphaned: ['old'], removed: ['unused'] })
    expect(notes).toEqual([`model "old" is not in the files, but ${user} needs it: it stays`])
  },
)

/** How many sessions wait for a lock. */
async function waiting(): Promise<number> {
  const rows = await database.sql`
    select from pg_locks join pg_stat_activity using (pid) where not granted and datname = ${database.name}`
  return rows.length
}
