import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { beforeAll, beforeEach, inject, onTestFinished } from 'vitest'
import type { Database } from '../../src/database.ts'

export { type SignUp, signUp } from '../../src/local/sign-up.ts'

import { cloneDatabase, connect, type TestUrls, template, urlsOf, using } from './templates.ts'

export interface TestDatabase extends TestUrls {
  name: string
  /** As the role that migrates. */
  sql: postgres.Sql
  /** As superuser. */
  admin: postgres.Sql
  /** Drizzle over `sql`. */
  db: PostgresJsDatabase
  drop: () => Promise<void>
}

let made = 0

/** A database of one's own, cloned from a template. `drop` it in the end. */
export async function createDatabase(from = 'stub_old'): Promise<TestDatabase> {
  const run = inject('run')
  made += 1
  const name = `${run.prefix}${process.pid}_${made}`
  await cloneDatabase(run, name, await template(run, from))
  const urls = urlsOf(run, name)
  const sql = connect(urls.url)
  const admin = connect(urls.adminUrl)
  return {
    name,
    ...urls,
    sql,
    admin,
    db: drizzle({ client: sql }),
    drop: async () => {
      await Promise.all([sql.end({ timeout: 5 }), admin.end({ timeout: 5 })])
      await using(run.serverUrl, server => server`drop database if exists ${server(name)} with (force)`)
    },
  }
}

/** The same for the test, or the `beforeEach`, that calls it: goes when the test has ended. */
export async function ownDatabase(from?: string): Promise<TestDatabase> {
  const database = await createDatabase(from)
  onTestFinished(() => database.drop())
  return database
}

type Prepare = (database: TestDatabase) => unknown

/** The same for all tests of the file or group that calls it. It is there once they begin. */
export function sharedDatabase(from?: string, prepare: Prepare = () => {}): TestDatabase {
  const database = {} as TestDatabase
  beforeAll(() => fillIn(database, from, prepare))
  return database
}

/** The same, anew for each test. */
export function databaseForEach(from?: string, prepare: Prepare = () => {}): TestDatabase {
  const database = {} as TestDatabase
  beforeEach(() => fillIn(database, from, prepare))
  return database
}

async function fillIn(database: TestDatabase, from: string | undefined, prepare: Prepare) {
  Object.assign(database, await createDatabase(from))
  await prepare(database)
  return database.drop
}

/** Runs `work` in a transaction that is rolled back. */
export function undone(db: Database, work: (tx: Database) => Promise<unknown>): Promise<void> {
  return rollBack(run => db.transaction(run), work)
}

/** The same over postgres.js. */
export function undoneIn(
  sql: postgres.Sql,
  work: (tx: postgres.TransactionSql) => Promise<unknown>,
): Promise<void> {
  return rollBack(run => sql.begin(run), work)
}

async function rollBack<T>(
  begin: (run: (tx: T) => Promise<never>) => Promise<unknown>,
  work: (tx: T) => Promise<unknown>,
): Promise<void> {
  const undo = new Error('rolled back on purpose')
  const transaction = begin(async tx => {
    await work(tx)
    throw undo
  })
  await transaction.catch(error => {
    if (error !== undo) throw error
  })
}

/** Runs `work` in a transaction as another role, which the connection's own must be a member of. */
export async function asRole<T>(
  sql: postgres.Sql,
  role: string,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const result = await sql.begin(async tx => {
    await tx`select set_config('role', ${role}, true)`
    return { value: await work(tx) }
  })
  return result.value
}

/** A tag for statements as another role, each in a transaction of its own. */
export function statementsAs(role: string, database: TestDatabase) {
  return (text: TemplateStringsArray, ...values: postgres.ParameterOrFragment<never>[]) =>
    asRole(database.admin, role, tx => tx(text, ...values))
}
