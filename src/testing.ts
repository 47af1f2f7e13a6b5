import { createHash, randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { createDatabase } from './database.ts'
import { startServer } from './local/server.ts'
import { migrate, packagedMigrations } from './migrate.ts'
import { readMigrations } from './migrator/files.ts'
import { seed } from './seed.ts'

export interface TestDatabaseOptions {
  /** Migrations of your own; the package's unless given. */
  folder?: string
  /** Seed the package's models and agents. */
  seeded?: boolean
  /** Where the local PostgreSQL keeps its data; `.data`, as for the commands, unless given. */
  directory?: string
}

/** A user to sign up; what is left out is made up. */
export interface NewUser {
  id?: string
  email?: string | null
  /** What the user gives at the sign-up, such as `{ username: 'ada' }`. */
  metadata?: Record<string, unknown>
}

/** A database of one's own, migrated. `await using` drops it in the end, and so does `drop`. */
export interface TestDatabase extends AsyncDisposable {
  /** As the role that owns the tables. */
  url: string
  /** As a superuser. */
  adminUrl: string
  db: ReturnType<typeof createDatabase>
  /** Adds a user as Supabase's sign-up does. @returns its id */
  signUp: (user?: NewUser) => Promise<string>
  /** Closes `db` and drops the database. */
  drop: () => Promise<void>
}

let made = 0

/**
 * Creates a migrated database for a test, on the local PostgreSQL, which is started where it does not run and keeps running.
 * The first call migrates a template; from then on a database is a copy of it.
 *
 * @throws Error where PostgreSQL cannot run here, MigrationError where the migrations fail
 */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { folder = packagedMigrations(), seeded = false, directory = '.data' } = options
  const server = await startServer({ directory })
  const at = (base: string, name: string) => Object.assign(new URL(base), { pathname: name }).href
  made += 1
  const name = `agents_test_${process.pid}_${made}`
  await using(server.adminUrl, async admin => {
    const template = await findTemplate(admin, folder, seeded, name => at(server.url, name))
    await admin`drop database if exists ${admin(name)} with (force)`
    await copy(admin, name, template)
  })
  const [url, adminUrl] = [at(server.url, name), at(server.adminUrl, name)]
  const db = createDatabase(url)
  const drop = async () => {
    await db.$client.end({ timeout: 5 })
    await using(server.adminUrl, admin => admin`drop database if exists ${admin(name)} with (force)`)
  }
  const signUp = (user?: NewUser) => using(adminUrl, admin => addUser(admin, user))
  return { url, adminUrl, db, signUp, drop, [Symbol.asyncDispose]: drop }
}

/** The template of these migrations; made by the first who asks, in whatever process. */
async function findTemplate(
  admin: postgres.Sql,
  folder: string,
  seeded: boolean,
  urlOf: (name: string) => string,
): Promise<string> {
  const hash = createHash('sha256')
  for (const migration of readMigrations(folder))
    for (const script of [migration.up, migration.upOnline]) hash.update(script?.hash ?? '')
  const template = `agents_template_${hash.digest('hex').slice(0, 12)}${seeded ? '_seeded' : ''}`
  await admin`select pg_advisory_lock(hashtextextended(${template}, 0))`
  const [found] = await admin`select from pg_database where datname = ${template}`
  if (found) return template
  // Under another name at first: one that was killed on its way is not taken for whole.
  const unfinished = `${template}_unfinished`
  await admin`drop database if exists ${admin(unfinished)} with (force)`
  await copy(admin, unfinished, 'template1')
  const db = createDatabase(urlOf(unfinished))
  try {
    await migrate(db, { folder })
    if (seeded) await seed(db)
  } finally {
    await db.$client.end()
  }
  await dropLeftovers(admin)
  await admin`alter database ${admin(unfinished)} rename to ${admin(template)}`
  return template
}

async function copy(admin: postgres.Sql, name: string, template: string): Promise<void> {
  await admin`create database ${admin(name)} template ${admin(template)} strategy file_copy owner postgres`
}

/** Of test processes that were killed. */
async function dropLeftovers(admin: postgres.Sql): Promise<void> {
  for (const {
    datname,
  } of await admin`select datname from pg_database where datname ~ '^agents_test_[0-9]+_'`) {
    if (!isAlive(Number(datname.split('_')[2])))
      await admin`drop database if exists ${admin(datname)} with (force)`
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** In the role, and with the search_path, that sign-ups have on Supabase. */
async function addUser(
  admin: postgres.Sql,
  { id = randomUUID(), email, metadata = {} }: NewUser = {},
): Promise<string> {
  await admin.begin(async tx => {
    await tx`select set_config('role', 'supabase_auth_admin', true), set_config('search_path', 'auth', true)`
    await tx`
      insert into users (id, aud, role, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
      values (${id}, 'authenticated', 'authenticated', ${email === undefined ? `${id}@example.test` : email},
              '{"provider": "email", "providers": ["email"]}', ${JSON.stringify(metadata)}::text::jsonb, now(), now())`
  })
  return id
}

async function using<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  return await work(sql).finally(() => sql.end())
}
