import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { createDatabase } from '../src/database.ts'
import { startServer } from '../src/local/server.ts'
import { migrate } from '../src/migrate.ts'
import { removeServer } from '../tests/support/server.ts'
import type { Options } from './measure.ts'

/** Runs a program to its end. `pnpm bench` has built the package. */
export const run = promisify(execFile)
export const agentsDb = join(import.meta.dirname, '../dist/cli/main.js')
export const drizzleKit = join(import.meta.dirname, '../node_modules/.bin/drizzle-kit')

/** A server that is removed afterwards. */
export interface Scratch {
  /** The URL of a database; by default for the role that migrates. */
  urlOf: (database: string, as?: 'deployer' | 'superuser') => string
  /** Creates a database, or replaces it, as a copy of another; `template1` has only the Supabase stub. */
  clone: (name: string, template?: string) => Promise<void>
}

/** Runs `work` on a new server that is durable (`fsync`), as in production. */
export async function withScratch<T>(
  { programs }: Pick<Options, 'programs'>,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-bench-'))
  try {
    const settings = { max_wal_size: '4GB', shared_buffers: '512MB' }
    const server = await startServer({ directory, port: 0, settings, ...(programs && { programs }) })
    const urlOf: Scratch['urlOf'] = (database, as = 'deployer') => {
      const url = new URL(as === 'superuser' ? server.adminUrl : server.url)
      url.pathname = `/${database}`
      return url.href
    }
    const clone: Scratch['clone'] = (name, template = 'template1') =>
      using(server.adminUrl, async admin => {
        await admin`drop database if exists ${admin(name)} with (force)`
        await admin`create database ${admin(name)} template ${admin(template)} owner postgres`
        await admin`checkpoint`
      })
    return await work({ urlOf, clone })
  } finally {
    await removeServer(directory)
  }
}

/** Of the server that is measured. */
export async function versionOf(options: Options): Promise<string> {
  return await withScratch(options, ({ urlOf }) =>
    using(urlOf('postgres'), async sql => {
      const [row] = await sql`show server_version`
      return row?.server_version
    }),
  )
}

/** Runs `work` on a new connection. */
export async function using<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  return await work(sql).finally(() => sql.end())
}

/** Migrates a database to the end, or to a given migration, on two connections. */
export async function migrateTo(
  url: string,
  options: Parameters<typeof migrate>[1] = {},
  max = 2,
): Promise<void> {
  const db = createDatabase(url, { max })
  await migrate(db, options).finally(() => db.$client.end())
}

/** The migration that leaves the schema of the older deployment. */
export const baseline = 'grant_agent_tables'

/** Creates a baseline database of `users` users with three agents and five memories each, two of them 'work'. */
export async function makeBaseline({ clone, urlOf }: Scratch, name: string, users: number): Promise<void> {
  await clone(name)
  await migrateTo(urlOf(name), { to: baseline })
  await using(urlOf(name, 'superuser'), async sql => {
    await sql`insert into public.llms (model_code, provider, display_name, status) values ('m', 'p', 'M', 'active')`
    await sql`insert into public.user_agent_catalog (agent_type, llm_id, status, config)
              select t, l.id, 'active', '{"prompt": "You are an agent."}'
                from public.llms l, unnest(array['INTENT_RECOGNITION', 'TASK_EXECUTION', 'RESULT_REPORTING']) t`
    await sql`insert into auth.users (id, email)
              select gen_random_uuid(), 'u' || n || '@example.test' from generate_series(1, ${users}) n`
    await sql`insert into public.memories (user_id, agent_id, memory_type, content, status)
              select a.user_id, case when n % 2 = 0 then a.id end, case when n % 2 = 0 then 'work' else 'user' end,
                     'What was said in conversation ' || n, 'active'
                from public.user_agents a, generate_series(1, 5) n
               where a.agent_type = 'TASK_EXECUTION'`
    await sql`create schema elsewhere`
    await sql`create table elsewhere.notes (at timestamptz not null default now())`
    await sql`vacuum analyze`
    await sql`checkpoint`
  })
}
