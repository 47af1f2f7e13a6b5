import type postgres from 'postgres'
import { onTestFinished } from 'vitest'
import type { Wait } from '../../src/migrate.ts'
import type { TestDatabase } from './database.ts'
import { connect } from './templates.ts'

/** A client of the test that calls it, with one connection unless told otherwise. It ends with the test. */
export function ownClient(url: string, options: Parameters<typeof connect>[1] = {}): postgres.Sql {
  const sql = connect(url, { max: 1, ...options })
  onTestFinished(() => sql.end({ timeout: 5 }))
  return sql
}

/** A client that has done something in a transaction, which it leaves open until released. */
export async function hold(url: string, statement: string) {
  const sql = ownClient(url, { connection: { application_name: 'slow client' } })
  await sql.unsafe(`begin; ${statement}`)
  const [self] = await sql`select pg_backend_pid() as pid`
  return { pid: self?.pid as number, release: async () => void (await sql`commit`) }
}

/** What a migration waits for. `reached` resolves once it has waited so often, and fails where it ends before. */
export function waits(often: number) {
  const seen: Wait[] = []
  let enough = () => {}
  const reached = new Promise<void>(resolve => {
    enough = resolve
  })
  const onWait = (wait: Wait) => {
    if (seen.push(wait) === often) enough()
  }
  const endedEarly = async (work: Promise<unknown>) => {
    await work
    throw new Error(`it waited ${seen.length} times, and not ${often}`)
  }
  return { seen, reached: (work: Promise<unknown>) => Promise.race([reached, endedEarly(work)]), onWait }
}

/** The URL of a role that may read the ledger and nothing else, and write nothing. It goes with the test. */
export async function ledgerReader({ admin, name, url }: TestDatabase): Promise<string> {
  const role = `${name}_reader`
  await admin.unsafe(`
    create role ${role} login password 'reader';
    alter role ${role} set default_transaction_read_only = on;
    grant usage on schema drizzle to ${role};
    grant select on drizzle.__drizzle_migrations to ${role}`)
  onTestFinished(async () => void (await admin.unsafe(`drop owned by ${role}; drop role ${role}`)))
  const own = new URL(url)
  own.username = role
  own.password = 'reader'
  return own.href
}
