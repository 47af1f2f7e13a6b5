import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { execute, query } from '../query.ts'
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
  // Asking for the table by its name would need the right to use the schema even where there is none in it.
  const columns = await query<{ name: string }>(
    db,
    sql`select a.attname as name
          from pg_catalog.pg_attribute a
          join pg_catalog.pg_class c on c.oid = a.attrelid
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'drizzle' and c.relname = '__drizzle_migrations' and a.attnum > 0 and not a.attisdropped`,
  )
  if (columns.length === 0) return []
  if (!columns.some(column => column.name === 'name')) {
    throw new MigrationError(
      'OLD_LEDGER',
      'drizzle.__drizzle_migrations was made by drizzle-kit before version 1. Run `drizzle-kit migrate` once: it upgrades the table.',
    )
  }
  return await query<LedgerEntry>(
    db,
    sql`select name, hash, applied_at::text as "appliedAt" from ${ledger} order by name collate "C"`,
  ).catch(refused('read'))
}

/** Makes the ledger as drizzle's own migrator does, unless it is there. */
export async function ensureLedger(db: Database): Promise<void> {
  const [found] = await query<{ schema: boolean; ledger: boolean }>(
    db,
    sql`select count(*) > 0 as schema, count(c.oid) > 0 as ledger
          from pg_catalog.pg_namespace n
          left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = '__drizzle_migrations'
         where n.nspname = 'drizzle'`,
  )
  // Asking for "if not exists" alone would need the right to create schemas even where nothing is to do.
  if (!found?.schema) await execute(db, sql`create schema drizzle`).catch(refused('made'))
  if (found?.ledger) return
  await execute(
    db,
    sql`
      create table ${ledger} (
        id         serial primary key,
        hash       text not null,
        created_at bigint,
        name       text,
        applied_at timestamp with time zone default now()
      )`,
  ).catch(refused('made'))
}

/** Records a migration as drizzle-kit would. */
export async function record(db: Database, migration: Migration): Promise<void> {
  await execute(
    db,
    sql`insert into ${ledger} (hash, created_at, name)
          values (${migration.hash}, ${migration.folderMillis}, ${migration.name})`,
  ).catch(refused('written'))
}

/** Takes a migration out of the ledger. */
export async function strike(db: Database, migration: Migration): Promise<void> {
  await execute(db, sql`delete from ${ledger} where name = ${migration.name}`).catch(refused('written'))
}

/** What would help a role that may not. */
const hints = {
  made: 'create schema if not exists drizzle; grant usage, create on schema drizzle to the role that deploys.',
  read: 'grant usage on schema drizzle, and all on all tables and sequences in it, to the role that deploys.',
  written: 'grant all on all tables in schema drizzle, and on all sequences, to the role that deploys.',
}

function refused(what: keyof typeof hints): (cause: unknown) => never {
  return cause => {
    const { message, code } = refusalOf(cause)
    if (code !== '42501') throw cause
    throw new MigrationError(
      'STATEMENT_FAILED',
      `drizzle.__drizzle_migrations cannot be ${what}: ${message} (SQLSTATE ${code})\nhint: As a role that may: ${hints[what]}\nNothing was applied.`,
      { sqlState: code, cause },
    )
  }
}
