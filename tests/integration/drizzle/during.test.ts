import { randomUUID } from 'node:crypto'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownClient } from '../../support/client.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { seedOf } from '../../support/sample.ts'

/**
 * What a statement of one application meets while the schema is the other's: no such column, no such table,
 * a rule that is not its own. The clients here know both applications and use the other's statement then.
 */
const notNow = ['42703', '42P01', '23514']

interface Memory {
  user: string
  type: string
  content: string
}

/** What clients were told is committed. */
interface Committed {
  users: Set<string>
  memories: Map<string, Memory>
  settings: Map<string, string>
  times: Record<string, number>
}

/** Draws by TEST_SEED, as far as clients that run at once can be drawn again. */
let draws = 0
const pick = <T>(list: T[]): T => list[seedOf(`during ${draws++}`) % list.length]!

interface Client {
  sql: postgres.Sql
  /** As Supabase, which signs users up and deletes them. */
  auth: postgres.Sql
  /** Nobody else writes for these: what is committed last is what must be there. */
  users: string[]
  memories: string[]
  /** Their agents serve memories of others, which the old schema deletes with them, and the new one does not. */
  lenders: Set<string>
}

/** Runs the first statement that the schema of the moment allows; whether there was one. */
async function either(statements: (() => Promise<unknown>)[]): Promise<boolean> {
  for (const statement of statements) {
    try {
      await statement()
      return true
    } catch (error) {
      if (!(error instanceof postgres.PostgresError) || !notNow.includes(error.code)) throw error
    }
  }
  return false
}

/** Writes a memory as one application does, or as the other; whether either could. */
async function write({ sql, memories }: Client, log: Committed, memory: Memory, old: boolean) {
  const id = randomUUID()
  const byOld = () => sql`
    insert into public.memories (id, user_id, agent_id, memory_type, content, status)
    values (${id}, ${memory.user},
            (select a.id from public.user_agents a
              where a.user_id = ${memory.user} and a.agent_type = 'TASK_EXECUTION' and ${memory.type} = 'work'),
            ${memory.type}, ${memory.content}, 'active')`
  const byNew = () => sql`
    insert into public.memories (id, user_id, memory_type, content, status)
    values (${id}, ${memory.user}, ${memory.type}, ${memory.content}, 'active')`
  if (!(await either(old ? [byOld, byNew] : [byNew, byOld]))) return false
  log.memories.set(id, memory)
  memories.push(id)
  return true
}

/** What a client does, one thing after another; false where nothing came of it. */
const turns: Record<string, (client: Client, log: Committed, n: number) => Promise<unknown>> = {
  'sign up': async ({ auth, users }, log) => {
    const id = await signUp(auth)
    log.users.add(id)
    users.push(id)
  },
  'work by the old application': (client, log, n) =>
    write(client, log, { user: pick(client.users), type: 'work', content: `work ${n}` }, true),
  'work by the new application': (client, log, n) =>
    write(client, log, { user: pick(client.users), type: 'work', content: `work ${n}` }, false),
  'user memory': (client, log, n) =>
    write(client, log, { user: pick(client.users), type: 'user', content: `user ${n}` }, n % 2 === 0),
  rewrite: async ({ sql, memories }, log, n) => {
    const [id, content] = [pick(memories), `rewritten ${n}`]
    await sql`update public.memories set content = ${content} where id = ${id}`
    log.memories.set(id, { ...log.memories.get(id)!, content })
  },
  delete: async (client, log) => {
    const id = pick(client.memories)
    await client.sql`delete from public.memories where id = ${id}`
    client.memories = client.memories.filter(other => other !== id)
    log.memories.delete(id)
  },
  settings: async ({ sql, users }, log, n) => {
    const user = pick(users)
    const settings = { agent_prompts: { TASK_EXECUTION: `prompt ${n}` }, theme: pick(['dark', 'light']) }
    await sql`update public.profiles set settings = ${JSON.stringify(settings)}::text::jsonb where id = ${user}`
    log.settings.set(user, JSON.stringify(settings))
  },
  leave: async (client, log, n) => {
    const leaver = pick(client.users)
    if (n % 3 !== 0 || client.lenders.has(leaver)) return false
    await client.auth`delete from auth.users where id = ${leaver}`
    client.users = client.users.filter(other => other !== leaver)
    for (const id of client.memories) if (log.memories.get(id)?.user === leaver) log.memories.delete(id)
    client.memories = client.memories.filter(id => log.memories.has(id))
    log.users.delete(leaver)
    log.settings.delete(leaver)
    return true
  },
}

/** Sets the clients to work for as long as the migrations take; says how often each did what, all in all. */
async function during(clients: Client[], log: Committed, migrating: () => Promise<unknown>) {
  let going = true
  const names = Object.keys(turns)
  const working = Promise.all(
    clients.map(async (client, offset) => {
      for (let n = offset * 3; going; n++) {
        const name = names[n % names.length]!
        const done = await turns[name]!(client, log, Math.floor(n / names.length))
        if (done !== false) log.times[name] = (log.times[name] ?? 0) + 1
      }
    }),
  )
  // Thrown at the end; not to be an unhandled rejection meanwhile.
  working.catch(() => {})
  await migrating().finally(() => {
    going = false
    return working
  })
  return { ...log.times }
}

async function look({ admin }: TestDatabase) {
  const profiles = await admin<{ id: string; settings: string | null }[]>`
    select u.id, p.settings::text as settings from auth.users u left join public.profiles p using (id)`
  const memories = await admin<(Memory & { id: string })[]>`
    select id, user_id as user, memory_type as type, content from public.memories`
  return {
    profiles: new Map(profiles.map(({ id, settings }) => [id, settings])),
    memories: new Map(memories.map(({ id, ...memory }) => [id, memory])),
  }
}

async function expectAllOf(log: Committed, at: TestDatabase): Promise<void> {
  const { profiles, memories } = await look(at)
  expect([...profiles.keys()].sort()).toEqual([...log.users].sort())
  expect([...profiles].filter(([, settings]) => settings === null)).toEqual([])
  expect(memories).toEqual(log.memories)
  for (const [user, text] of log.settings) expect(JSON.parse(profiles.get(user)!)).toEqual(JSON.parse(text))
}

/** Rows of `user_agents`, and agents of old memories, byte for byte. */
async function old({ admin }: TestDatabase) {
  const agents = await admin`
    select user_id, created_by, updated_by, id,
           row(id, user_id, llm_id, agent_type, config, status, created_at, updated_at, deleted_at)::text as row
      from public.user_agents order by id`
  const memories = await admin`
    select id, agent_id from public.memories where memory_type = 'work' order by id`
  return { agents: [...agents], memories: [...memories] }
}

test('with clients writing all the while, up and down lose nothing that was committed', async () => {
  const at = await ownDatabase('baseline of 400 users and 3000 memories')
  const catalog = await readCatalog(at.admin)
  const filled = await look(at)
  const before = await old(at)
  const log: Committed = {
    users: new Set(filled.profiles.keys()),
    memories: new Map(filled.memories),
    settings: new Map(),
    times: {},
  }
  // Work memories ask for an agent, and the way back for one of one's own.
  const served = await at.admin`
    select distinct user_id from public.user_agents where agent_type = 'TASK_EXECUTION'`
  const lent = await at.admin`
    select distinct a.user_id from public.memories m join public.user_agents a on a.id = m.agent_id
     where m.user_id <> a.user_id`
  const clients = Array.from({ length: 4 }, (_, i) => {
    const users: string[] = served.filter((_, n) => n % 4 === i).map(({ user_id }) => user_id)
    return {
      sql: ownClient(at.url),
      auth: ownClient(at.adminUrl),
      users,
      lenders: new Set<string>(lent.map(({ user_id }) => user_id)),
      memories: [...log.memories].filter(([, memory]) => users.includes(memory.user)).map(([id]) => id),
    }
  })
  const db = drizzle({ client: ownClient(at.url, { max: 3 }) })

  const up = await during(clients, log, () => migrate(db))
  expect(Object.keys(up).sort()).toEqual(Object.keys(turns).sort())
  await expectAllOf(log, at)
  const today = await ownDatabase('today')
  expect(await readCatalog(at.admin)).toEqual(await readCatalog(today.admin))

  const down = await during(clients, log, () => rollback(db, { to: baseline }))
  for (const [what, times] of Object.entries(up)) expect(down[what], what).toBeGreaterThan(times)
  await expectAllOf(log, at)
  expect(await readCatalog(at.admin)).toEqual(catalog)

  const now = await old(at)
  const alive = (user: string | null) => (user !== null && log.users.has(user) ? user : null)
  const wanted = before.agents
    .filter(({ user_id }) => log.users.has(user_id))
    .map(agent => ({ ...agent, created_by: alive(agent.created_by), updated_by: alive(agent.updated_by) }))
  expect(now.agents.filter(({ user_id }) => filled.profiles.has(user_id))).toEqual(wanted)

  // A memory goes with its agent's user; what is left has the agent it had.
  const left = before.memories.filter(({ id }) => log.memories.has(id))
  expect(left.length).toBeGreaterThan(100)
  const agentNow = new Map(now.memories.map(({ id, agent_id }) => [id, agent_id]))
  expect(left.map(({ id }) => ({ id, agent_id: agentNow.get(id) }))).toEqual(left)

  // Who signed up has what the old trigger gives, and every work memory an agent.
  const counts = new Map<string, number>()
  for (const { user_id } of now.agents) counts.set(user_id, (counts.get(user_id) ?? 0) + 1)
  const newcomers = [...log.users].filter(user => !filled.profiles.has(user))
  expect(newcomers.filter(user => counts.get(user) !== 3)).toEqual([])
  expect(now.memories.filter(({ agent_id }) => agent_id === null)).toEqual([])
})
