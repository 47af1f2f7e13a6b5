import { readFileSync } from 'node:fs'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { installSupabaseStub } from '../../scripts/supabase-stub.ts'
import { migrate } from '../../src/migrate.ts'
import { fill } from './rows.ts'

/** Who migrates in the tests. Never a superuser, and not the owner of `auth`, as on Supabase. */
export const DEPLOYER = { role: 'agents_deployer', password: 'agents_deployer' }

export interface TestUrls {
  /** As the deployer. */
  url: string
  /** As superuser. */
  adminUrl: string
}

/** The server of this run, and what names on it begin with. */
export interface TestRun {
  serverUrl: string
  /** Of this run's databases and roles. */
  prefix: string
  /** Of templates, which runs of the same code share. */
  templates: string
}

interface Recipe {
  from: string
  prepare: (urls: TestUrls) => Promise<unknown>
}

const byOtherMeans = readFileSync(new URL('by-other-means.sql', import.meta.url), 'utf8')

/** The states that tests begin in. `built` is the baseline as another tool would have made it. */
const recipes: Record<string, Recipe> = {
  stub_old: { from: 'template0', prepare: urls => installIn(urls, 'old') },
  stub_new: { from: 'template0', prepare: urls => installIn(urls, 'new') },
  baseline: { from: 'stub_old', prepare: urls => migrateTo(urls, 'grant_agent_tables') },
  expanded: { from: 'baseline', prepare: urls => migrateTo(urls, 'add_agent_prompts') },
  contracted: {
    from: 'expanded',
    prepare: urls => migrateTo(urls, 'rename_catalog_and_drop_user_agents'),
  },
  today: { from: 'contracted', prepare: urls => migrateTo(urls) },
  built: { from: 'stub_old', prepare: ({ url }) => using(url, sql => sql.unsafe(byOtherMeans)) },
}

/** The recipe of that name; `baseline of 40 users and 200 memories` is the baseline filled with so many. */
function recipeOf(name: string): Recipe {
  const [, from = '', users, memories] = /^(\w+) of (\d+) users and (\d+) memories$/.exec(name) ?? []
  const recipe = from
    ? {
        from,
        prepare: ({ adminUrl }: TestUrls) =>
          using(adminUrl, admin => fill(admin, { users: Number(users), memories: Number(memories) })),
      }
    : recipes[name]
  if (!recipe) throw new Error(`there is no template ${name}`)
  return recipe
}

function installIn({ adminUrl }: TestUrls, grants: 'old' | 'new') {
  const options = { deployer: DEPLOYER.role, grants, password: DEPLOYER.password }
  return using(adminUrl, admin => installSupabaseStub(admin, options))
}

function migrateTo({ url }: TestUrls, to?: string) {
  return using(url, client => migrate(drizzle({ client }), to === undefined ? {} : { to }))
}

const made = new Map<string, Promise<string>>()

/** The database that serves as that template; made by the first who asks. */
export function template(run: TestRun, name: string): Promise<string> {
  const database = made.get(name) ?? makeOnce(run, name)
  made.set(name, database)
  return database
}

async function makeOnce(run: TestRun, name: string): Promise<string> {
  const { from, prepare } = recipeOf(name)
  const source = from === 'template0' ? from : await template(run, from)
  // PostgreSQL cuts names after 63 letters.
  const database = run.templates + name.replace(/ of (\d+) users and (\d+) memories$/, '_$1_$2')
  await using(run.serverUrl, async admin => {
    await admin`select pg_advisory_lock(hashtextextended(${database}, 0))`
    const [found] = await admin`select from pg_database where datname = ${database}`
    if (found) return
    // Under another name at first: one that was killed on its way is not taken for whole.
    const unfinished = `${database}_unfinished`
    await admin`drop database if exists ${admin(unfinished)} with (force)`
    await cloneDatabase(run, unfinished, source)
    await prepare(urlsOf(run, unfinished))
    await admin`alter database ${admin(unfinished)} rename to ${admin(database)}`
  })
  return database
}

/** Makes a template that is this file's own, and goes with the run. No connection of `prepare` may stay open. */
export async function createTemplate(
  run: TestRun,
  name: string,
  from: string,
  prepare: (urls: TestUrls) => Promise<unknown>,
): Promise<void> {
  const database = `${run.prefix}${process.pid}_${name}`
  await cloneDatabase(run, database, from === 'template0' ? from : await template(run, from))
  await prepare(urlsOf(run, database))
  made.set(name, Promise.resolve(database))
}

export async function cloneDatabase(run: TestRun, name: string, source: string): Promise<void> {
  await using(run.serverUrl, async admin => {
    const owner = source === 'template0' ? admin`` : admin`owner ${admin(DEPLOYER.role)}`
    for (let attempt = 1; ; attempt++) {
      try {
        await admin`create database ${admin(name)} template ${admin(source)} strategy file_copy ${owner}`
        return
      } catch (error) {
        // 55006: somebody is still connected to the template, if only a backend that is about to end.
        if (attempt === 20 || !(error instanceof postgres.PostgresError) || error.code !== '55006')
          throw error
      }
    }
  })
}

/** Drops every database whose name begins so, but for those that begin with `but`. */
export async function dropDatabases(admin: postgres.Sql, prefix: string, but = ' '): Promise<void> {
  const databases = await admin`
    select datname from pg_database where starts_with(datname, ${prefix}) and not starts_with(datname, ${but})`
  for (const { datname } of databases) await admin`drop database if exists ${admin(datname)} with (force)`
}

export function urlsOf(run: TestRun, database: string): TestUrls {
  const admin = new URL(run.serverUrl)
  admin.pathname = `/${database}`
  const deployer = new URL(admin)
  deployer.username = DEPLOYER.role
  deployer.password = DEPLOYER.password
  return { url: deployer.href, adminUrl: admin.href }
}

export function connect(url: string, options: postgres.Options<Record<string, postgres.PostgresType>> = {}) {
  return postgres(url, { max: 4, onnotice: () => {}, ...options })
}

/** Connects, works, disconnects. */
export async function using<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = connect(url, { max: 1 })
  try {
    return await work(sql)
  } finally {
    await sql.end()
  }
}
