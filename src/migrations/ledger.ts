import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { MigrationError, refusalOf } from './error.ts'
import type { Migration } from './files.ts'

/** A row of drizzle's ledger: a migration that this database has. */
export interface LedgerEntry extends Record<string, unknown> {
  name: string
  hash: string
  appliedAt: string | null
}

const ledger = sql`drizzle.__drizzle_migrations`

/** What is applied, in the order of the names; nothing where there is no ledger yet. */
export async function readLedger(db: Database): Promise<LedgerEntry[]> {
  const columns = await db.execute<{ name: string }>(
    sql`select attname as name from pg_catalog.pg_attribute
         where attrelid = to_regclass('drizzle.__drizzle_migrations') and attnum > 0 and not attisdropped`,
    'objects',
  )
  if (columns.length === 0) return []
  if (!columns.some(column => column.name === 'name')) {
    throw new MigrationError(
      'OLD_LEDGER',
      'drizzle.__drizzle_migrations was made by drizzle-kit before version 1. Run `drizzle-kit migrate` once: it upgrades the table.',
    )
  }
  return await db.execute<LedgerEntry>(
    sql`select name, hash, applied_at::text as "appliedAt" from ${ledger} order by name collate "C"`,
    'objects',
  )
}

/** Makes the ledger as drizzle's own migrator does, unless it is there. */
export async function ensureLedger(db: Database): Promise<void> {
  const [found] = await db.execute<{ schema: boolean; ledger: boolean }>(
    sql`select to_regnamespace('drizzle') is not null as schema,
               to_regclass('drizzle.__drizzle_migrations') is not null as ledger`,
    'objects',
  )
  // Asking for "if not exists" alone would need the right to create schemas even where nothing is to do.
  if (!found?.schema) await make(db, sql`create schema drizzle`)
  if (!found?.ledger) {
    await make(
      db,
      sql`
      create table ${ledger} (
        id         serial primary key,
        hash       text not null,
        created_at bigint,
        name       text,
        applied_at timestamp with time zone default now()
      )`,
    )
  }
}

async function make(db: Database, statement: SQL): Promise<void> {
  await db.execute(statement).catch(cause => {
    const { message, code } = refusalOf(cause)
    if (code !== '42501') throw cause
    throw new MigrationError(
      'STATEMENT_FAILED',
      `drizzle.__drizzle_migrations cannot be made: ${message} (SQLSTATE ${code})\nhint: As a role that may, run: create schema if not exists drizzle; grant usage, create on schema drizzle to the role that deploys.\nNothing was run.`,
      { sqlState: code, cause },
    )
  })
}

/** Records a migration as drizzle-kit would. */
export async function record(db: Database, migration: Migration): Promise<void> {
  await db.execute(
    sql`insert into ${ledger} (hash, created_at, name)
        values (${migration.hash}, ${migration.folderMillis}, ${migration.name})`,
  )
}

/** Takes a migration out of the ledger. */
export async function strike(db: Database, migration: Migration): Promise<void> {
  await db.execute(sql`delete from ${ledger} where name = ${migration.name}`)
}
