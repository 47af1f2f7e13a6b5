import { createHash, randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { createDatabase } from './database.ts'
import { signal } from './local/atomic.ts'
import { startServer } from './local/server.ts'
import { type SignUp, signUp } from './local/sign-up.ts'
import { migrate, packagedMigrations } from './migrate.ts'
import { readMigrations } from './migrator/files.ts'
import { seed } from './seed.ts'

export type { SignUp }

export interface TestDatabaseOptions {
  /** Migrations of your own; the package's unless given. */
  folder?: string
  /** Seed the package's models and agents. */
  seeded?: boolean
  /** Where the local PostgreSQL keeps its data; `.data`, as for the commands, unless given. */
  directory?: string
}

/** A database of one's own, migrated. `await using` drops it in the end, and so does `drop`. */
export interface TestDatabase extends AsyncDisposable {
  /** As the role that owns the tables. */
  url: string
  /** As a superuser. */
  adminUrl: string
  db: ReturnType<typeof createDatabase>
  /** Adds a user as Supabase's sign-up does. @returns its id */
  signUp: (user?: SignUp) => Promise<string>
  /** Closes `db` and drops the database. */
  drop: () => Promise<void>
}

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
  // Test runners have several threads in one process.
  const name = `agents_test_${process.pid}_${randomBytes(6).toString('hex')}`
  await using(server.adminUrl, async admin => {
    const template = await findTemplate(admin, folder, seeded, name => at(server.url, name))
    await copy(admin, name, template)
  })
  const [url, adminUrl] = [at(server.url, name), at(server.adminUrl, name)]
  const db = createDatabase(url)
  const drop = async () => {
    await db.$client.end({ timeout: 5 })
    await using(server.adminUrl, admin => admin`drop database if exists ${admin(name)} with (force)`)
  }
  return {
    url,
    adminUrl,
    db,
    signUp: user => using(adminUrl, admin => signUp(admin, user)),
    drop,
    [Symbol.asyncDispose]: drop,
  }
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
  const databases = await admin`select datname from pg_database where datname ~ '^agents_test_[0-9]+_'`
  for (const { datname } of databases) {
    if (!signal(Number(datname.split('_')[2]), 0))
      await admin`drop database if exists ${admin(datname)} with (force)`
  }
}

async function using<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  return await work(sql).finally(() => sql.end())
}
