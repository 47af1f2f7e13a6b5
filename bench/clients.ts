import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { using } from './scratch.ts'

/** How clients of one kind fared. */
export interface Tally {
  kind: string
  count: number
  longest: number
  errors: string[]
}

/** A user and one of their memories. */
interface Subject {
  user: string
  memory: string
}

type Work = (sql: postgres.Sql, subject: Subject) => Promise<unknown>

const asAuth = <T>(sql: postgres.Sql, work: (tx: postgres.TransactionSql) => Promise<T>) =>
  sql.begin(async tx => {
    await tx`set local role supabase_auth_admin`
    return await work(tx)
  })

/**
 * One statement, or two in one transaction; all are valid before, during and after the simplification. The last one does
 * not touch what is migrated: it waits only for the processor and the disk.
 */
const kinds: Record<string, Work> = {
  'sign-up': sql => {
    const id = randomUUID()
    return asAuth(sql, tx => tx`insert into auth.users (id, email) values (${id}, ${`${id}@example.test`})`)
  },
  'log-in': (sql, { user }) =>
    asAuth(sql, tx => tx`update auth.users set updated_at = now() where id = ${user}`),
  'read profile': (sql, { user }) => sql`select username, settings from public.profiles where id = ${user}`,
  'write profile': (sql, { user }) => sql`update public.profiles set bio = 'busy' where id = ${user}`,
  // By primary key: until the last migration there is no index on the user, and reading by user is slow anyway.
  'read memory': (sql, { memory }) => sql`select id, content from public.memories where id = ${memory}`,
  'write memory': (sql, { user }) =>
    sql`insert into public.memories (user_id, memory_type, content, status) values (${user}, 'user', 'm', 'active')`,
  'read models': sql => sql`select model_code from public.llms`,
  'user, then memory': (sql, { user, memory }) =>
    sql.begin(async tx => {
      await tx`select email from auth.users where id = ${user}`
      await tx`select content from public.memories where id = ${memory}`
    }),
  'profile, then memory': (sql, { user }) =>
    sql.begin(async tx => {
      await tx`update public.profiles set bio = 'busier' where id = ${user}`
      await tx`insert into public.memories (user_id, memory_type, content, status) values (${user}, 'user', 'm', 'active')`
    }),
  'write elsewhere': sql => sql`insert into elsewhere.notes default values`,
}

interface Client {
  kind: string
  work: Work
  sql: postgres.Sql
}

/** Opens a connection for every kind, so that nothing measured waits for it. */
async function connectClients(url: string): Promise<Client[]> {
  return await Promise.all(
    Object.entries(kinds).map(async ([kind, work]) => {
      const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { application_name: kind } })
      await sql`select`
      return { kind, work, sql }
    }),
  )
}

/** Runs every kind on its own connection, a statement every 5 ms, until `signal` aborts. */
async function runClients(clients: Client[], subjects: Subject[], signal: AbortSignal): Promise<Tally[]> {
  return await Promise.all(
    clients.map(async ({ kind, work, sql }, offset) => {
      const tally: Tally = { kind, count: 0, longest: 0, errors: [] }
      while (!signal.aborted) {
        const started = performance.now()
        try {
          const subject = subjects[(tally.count * 7 + offset * 1009) % subjects.length]
          if (subject) await work(sql, subject)
        } catch (error) {
          tally.errors.push(String(error))
        }
        tally.longest = Math.max(tally.longest, performance.now() - started)
        tally.count += 1
        await pause(5)
      }
      await sql.end()
      return tally
    }),
  )
}

// Sends a message when it is ready, runs until it receives one, and then sends what it measured.
const url = process.argv[2] ?? ''
const stop = new AbortController()
process.once('message', () => stop.abort())
const subjects = await using(
  url,
  sql => sql<Subject[]>`select user_id as user, id as memory from public.memories limit 5000`,
)
const clients = await connectClients(url)
const done = runClients(clients, subjects, stop.signal)
process.send?.('ready')
process.send?.(await done, () => process.disconnect())
