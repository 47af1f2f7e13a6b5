import { randomUUID } from 'node:crypto'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { baseline } from '../../support/migrations.ts'
import { seedOf } from '../../support/sample.ts'
import { connect } from '../../support/templates.ts'

/**
 * What a statement of one application meets while the schema is the other's: no such column, no such table,
 * a rule that is not its own. The clients here know both applications and use the other's statement then.
 */
const notNow = ['42703', '42P01', '23514']

interface Memory {
  user: string
  type: 'work' | 'user'
  content: string
}

/** What clients were told is committed, and what they were told is deleted. */
interface Committed {
  users: Set<string>
  gone: Set<string>
  memories: Map<string, Memory>
  forgotten: Set<string>
  settings: Map<string, string>
  times: Record<string, number>
  /** Of statements that are invalid in the phase they met. */
  refused: Record<string, number>
}

/** Draws by TEST_SEED, as far as clients that run at once can be drawn again. */
let draws = 0
const pick = <T>(list: T[]): T => list[seedOf(`during ${draws++}`) % list.length]!

interface Client {
  sql: postgres.Sql
  /** Nobody else writes for these: what is committed last is what must be there. */
  users: string[]
  memories: string[]
  /** Their agents serve memories of others, which the old schema deletes with them, and the new one does not. */
  lenders: Set<string>
}

/** Clients with users of their own, each doing one thing after another until told to stop. */
function startClients(clients: Client[], auth: postgres.Sql, log: Committed) {
  let going = true
  const count = (what: string) => {
    log.times[what] = (log.times[what] ?? 0) + 1
  }

  /** The statement of whichever application the schema is for just now. */
  const either = async (name: string, statements: (() => Promise<unknown>)[]): Promise<boolean> => {
    for (const statement of statements) {
      try {
        await statement()
        return true
      } catch (error) {
        if (!(error instanceof postgres.PostgresError) || !notNow.includes(error.code)) throw error
        const key = `${name} ${error.code}`
        log.refused[key] = (log.refused[key] ?? 0) + 1
      }
    }
    return false
  }

  const write = async (client: Client, memory: Memory, old: boolean) => {
    const id = randomUUID()
    const { sql } = client
    const byOld = () => sql`
      insert into public.memories (id, user_id, agent_id, memory_type, content, status)
      values (${id}, ${memory.user},
              (select a.id from public.user_agents a
                where a.user_id = ${memory.user} and a.agent_type = 'TASK_EXECUTION' and ${memory.type} = 'work'),
              ${memory.type}, ${memory.content}, 'active')`
    const byNew = () => sql`
      insert into public.memories (id, user_id, memory_type, content, status)
      values (${id}, ${memory.user}, ${memory.type}, ${memory.content}, 'active')`
    const done = await either('insert', old ? [byOld, byNew] : [byNew, byOld])
    if (!done) return
    log.memories.set(id, memory)
    client.memories.push(id)
    count(`insert ${memory.type}`)
  }

  const turn = async (client: Client, n: number) => {
    const { sql } = client
    const user = pick(client.users)
    switch (n % 9) {
      case 0: {
        const id = await signUp(auth)
        log.users.add(id)
        client.users.push(id)
        return count('sign up')
      }
      case 1:
        return write(client, { user, type: 'work', content: `work ${n}` }, true)
      case 2:
        return write(client, { user, type: 'work', content: `work ${n}` }, false)
      case 3:
        return write(client, { user, type: 'user', content: `user ${n}` }, n % 2 === 0)
      case 4: {
        const id = pick(client.memories)
        const content = `rewritten ${n}`
        await sql`update public.memories set content = ${content} where id = ${id}`
        log.memories.set(id, { ...log.memories.get(id)!, content })
        return count('update')
      }
      case 5: {
        const id = pick(client.memories)
        await sql`delete from public.memories where id = ${id}`
        client.memories = client.memories.filter(other => other !== id)
        log.memories.delete(id)
        log.forgotten.add(id)
        return count('delete')
      }
      case 6:
      case 7: {
        const settings = { agent_prompts: { TASK_EXECUTION: `prompt ${n}` }, theme: pick(['dark', 'light']) }
        await sql`update public.profiles set settings = ${JSON.stringify(settings)}::text::jsonb where id = ${user}`
        log.settings.set(user, JSON.stringify(settings))
        return count('settings')
      }
      default: {
        const leaver = pick(client.users)
        if (n % 27 !== 8 || client.lenders.has(leaver)) return
        await auth`delete from auth.users where id = ${leaver}`
        client.users = client.users.filter(other => other !== leaver)
        const theirs = client.memories.filter(id => log.memories.get(id)?.user === leaver)
        client.memories = client.memories.filter(id => !theirs.includes(id))
        for (const id of theirs) {
          log.memories.delete(id)
          log.forgotten.add(id)
        }
        log.users.delete(leaver)
        log.settings.delete(leaver)
        log.gone.add(leaver)
        return count('leave')
      }
    }
  }

  const ended = Promise.all(
    clients.map(async (client, offset) => {
      for (let n = offset * 3; going; n++) await turn(client, n)
    }),
  )
  // Said at the end; not to be an unhandled rejection meanwhile.
  ended.catch(() => {})
  return async () => {
    going = false
    await ended
  }
}

async function look({ admin }: TestDatabase) {
  const profiles = await admin`
    select u.id, p.settings::text as settings from auth.users u left join public.profiles p using (id)`
  const memories = await admin`select id, user_id, memory_type, content from public.memories`
  return {
    profiles: new Map<string, string | null>(profiles.map(({ id, settings }) => [id, settings])),
    memories: new Map<string, Memory>(
      memories.map(({ id, user_id, memory_type, content }) => [
        id,
        { user: user_id, type: memory_type, content },
      ]),
    ),
  }
}

async function expectAllOf(log: Committed, at: TestDatabase): Promise<void> {
  const { profiles, memories } = await look(at)
  expect([...profiles.keys()].sort()).toEqual([...log.users].sort())
  expect([...profiles].filter(([, settings]) => settings === null)).toEqual([])
  const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  expect(sorted(memories)).toEqual(sorted(log.memories))
  const settings = new Map([...log.settings].map(([user]) => [user, JSON.parse(profiles.get(user)!)]))
  expect(sorted(settings)).toEqual(sorted(log.settings).map(([user, text]) => [user, JSON.parse(`${text}`)]))
}

/** Rows of `user_agents`, and agents of old memories, byte for byte. */
async function old({ admin }: TestDatabase) {
  const agents = await admin`
    select user_id, created_by, updated_by, id,
           row(id, user_id, llm_id, agent_type, config, status, created_at, updated_at, deleted_at)::text as row
      from public.user_agents order by id`
  const memories =
    await admin`select id, agent_id from public.memories where memory_type = 'work' order by id`
  return { agents: [...agents], memories: [...memories] }
}

test('with clients writing all the while, up and down lose nothing that was committed', async () => {
  const at = await ownDatabase('baseline of 400 users and 3000 memories')
  const catalog = await readCatalog(at.admin)
  const filled = await look(at)
  const before = await old(at)

  const log: Committed = {
    users: new Set(filled.profiles.keys()),
    gone: new Set(),
    memories: new Map(filled.memories),
    forgotten: new Set(),
    settings: new Map(),
    times: {},
    refused: {},
  }
  // Work memories ask for an agent, and the way back for one of one's own.
  const served =
    await at.admin`select distinct user_id from public.user_agents where agent_type = 'TASK_EXECUTION'`
  const users: string[] = served.map(({ user_id }) => user_id)
  const lent = await at.admin`
    select distinct a.user_id from public.memories m join public.user_agents a on a.id = m.agent_id
     where m.user_id <> a.user_id`
  const lenders = new Set<string>(lent.map(({ user_id }) => user_id))
  const open = (url: string) => {
    const sql = connect(url, { max: 1 })
    onTestFinished(() => sql.end({ timeout: 5 }))
    return sql
  }
  const clients = Array.from({ length: 4 }, (_, i) => {
    const own = users.filter((_, n) => n % 4 === i)
    return {
      sql: open(at.url),
      users: own,
      lenders,
      memories: [...log.memories].filter(([, memory]) => own.includes(memory.user)).map(([id]) => id),
    }
  })
  const auth = connect(at.adminUrl, { max: 4 })
  onTestFinished(() => auth.end({ timeout: 5 }))
  const migrator = connect(at.url, { max: 3 })
  onTestFinished(() => migrator.end({ timeout: 5 }))
  const db = drizzle({ client: migrator })

  const passed = async (way: () => Promise<unknown>) => {
    const stop = startClients(clients, auth, log)
    await way().finally(stop)
    return { ...log.times }
  }

  const up = await passed(() => migrate(db))
  for (const what of ['sign up', 'insert work', 'insert user', 'update', 'delete', 'settings', 'leave']) {
    expect(up[what], what).toBeGreaterThan(0)
  }
  await expectAllOf(log, at)
  const today = await ownDatabase('today')
  expect(await readCatalog(at.admin)).toEqual(await readCatalog(today.admin))

  const down = await passed(() => rollback(db, { to: baseline }))
  for (const [what, times] of Object.entries(up)) expect(down[what], what).toBeGreaterThan(times)
  await expectAllOf(log, at)
  expect(await readCatalog(at.admin)).toEqual(catalog)

  const now = await old(at)
  const alive = (user: string | null) => (user === null || log.gone.has(user) ? null : user)
  const wanted = before.agents
    .filter(({ user_id }) => !log.gone.has(user_id))
    .map(agent => ({ ...agent, created_by: alive(agent.created_by), updated_by: alive(agent.updated_by) }))
  const ofOld = new Set(filled.profiles.keys())
  expect(now.agents.filter(({ user_id }) => ofOld.has(user_id))).toEqual(wanted)

  // A memory goes with its agent's user; what is left has the agent it had.
  const agentNow = new Map(now.memories.map(({ id, agent_id }) => [id, agent_id]))
  const left = before.memories.filter(({ id }) => !log.forgotten.has(id))
  expect(left.length).toBeGreaterThan(100)
  expect(left.map(({ id }) => [id, agentNow.get(id)])).toEqual(left.map(({ id, agent_id }) => [id, agent_id]))

  // Who signed up has what the old trigger gives, and every work memory an agent.
  const newcomers = [...log.users].filter(user => !ofOld.has(user))
  const counts = new Map<string, number>()
  for (const { user_id } of now.agents) counts.set(user_id, (counts.get(user_id) ?? 0) + 1)
  expect(newcomers.filter(user => counts.get(user) !== 3)).toEqual([])
  expect(now.memories.filter(({ agent_id }) => agent_id === null)).toEqual([])
})
