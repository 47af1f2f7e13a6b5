import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { pgErrorOf, sqlStateSuffix } from '../pg-error.ts'
import { execute, query } from '../query.ts'
import { MigrationError } from './error.ts'
import type { Migration } from './files.ts'
import type { LedgerName, Project } from './project.ts'

/** A row of the ledger: a migration that this database has. */
export interface LedgerEntry extends Record<string, unknown> {
  name: string
  hash: string
  appliedAt: string | null
}

function nameOf({ ledger }: Pick<Project, 'ledger'>): LedgerName {
  return ledger ?? { schema: 'drizzle', table: '__drizzle_migrations' }
}

function tableOf(project: Pick<Project, 'ledger'>): SQL {
  const { schema, table } = nameOf(project)
  return sql`${sql.identifier(schema)}.${sql.identifier(table)}`
}

/** What is applied, in the order of the names; nothing where there is no ledger yet. */
export async function readLedger(db: Database, project: Pick<Project, 'ledger'>): Promise<LedgerEntry[]> {
  const { schema, table } = nameOf(project)
  // To name a table that is not there, one would need the right to use its schema all the same.
  const columns = await query<{ name: string }>(
    db,
    sql`select a.attname as name
          from pg_catalog.pg_attribute a
          join pg_catalog.pg_class c on c.oid = a.attrelid
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = ${schema} and c.relname = ${table} and a.attnum > 0 and not a.attisdropped`,
  )
  if (columns.length === 0) return []
  if (!columns.some(column => column.name === 'name')) {
    throw new MigrationError(
      'OLD_LEDGER',
      `${schema}.${table} was made by drizzle-kit before version 1. Run \`drizzle-kit migrate\` once: it upgrades the table.`,
    )
  }
  return await query<LedgerEntry>(
    db,
    sql`select name, hash, applied_at::text as "appliedAt" from ${tableOf(project)} order by name collate "C"`,
  ).catch(explain(project, 'read'))
}

/** Makes the ledger as drizzle's own migrator does, unless it is there. */
export async function ensureLedger(db: Database, project: Pick<Project, 'ledger'>): Promise<void> {
  const { schema, table } = nameOf(project)
  const [found] = await query<{ schema: boolean; ledger: boolean }>(
    db,
    sql`select count(*) > 0 as schema, count(c.oid) > 0 as ledger
          from pg_catalog.pg_namespace n
          left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = ${table}
         where n.nspname = ${schema}`,
  )
  // "if not exists" needs the right to create schemas even where there is nothing to do.
  if (!found?.schema) {
    await execute(db, sql`create schema ${sql.identifier(schema)}`).catch(explain(project, 'created'))
  }
  if (found?.ledger) return
  await execute(
    db,
    sql`
      create table ${tableOf(project)} (
        id         serial primary key,
        hash       text not null,
        created_at bigint,
        name       text,
        applied_at timestamp with time zone default now()
      )`,
  ).catch(explain(project, 'created'))
}

/** Inserts a row as drizzle-kit would. */
export async function insertEntry(
  db: Database,
  project: Pick<Project, 'ledger'>,
  { hash, folderMillis, name }: Migration,
): Promise<void> {
  await execute(
    db,
    sql`insert into ${tableOf(project)} (hash, created_at, name) values (${hash}, ${folderMillis}, ${name})`,
  ).catch(explain(project, 'written'))
}

/** Gives an applied migration another hash. */
export async function updateHash(
  db: Database,
  project: Pick<Project, 'ledger'>,
  { name, hash }: Pick<Migration, 'name' | 'hash'>,
): Promise<void> {
  await execute(db, sql`update ${tableOf(project)} set hash = ${hash} where name = ${name}`).catch(
    explain(project, 'written'),
  )
}

/** Deletes a row. */
export async function deleteEntry(
  db: Database,
  project: Pick<Project, 'ledger'>,
  { name }: Migration,
): Promise<void> {
  await execute(db, sql`delete from ${tableOf(project)} where name = ${name}`).catch(
    explain(project, 'written'),
  )
}

/** Says of a missing privilege which grant would help; other errors are passed on. */
function explain(
  project: Pick<Project, 'ledger'>,
  what: 'created' | 'read' | 'written',
): (cause: unknown) => never {
  const { schema, table } = nameOf(project)
  const everything = `grant all on all tables in schema ${schema}, and on all sequences, to the role that deploys.`
  const hints = {
    created: `create schema if not exists ${schema}; grant usage, create on schema ${schema} to the role that deploys.`,
    read: `grant usage on schema ${schema} to the role that deploys; ${everything}`,
    written: everything,
  }
  return cause => {
    const { message, code } = pgErrorOf(cause)
    if (code !== '42501') throw cause
    throw new MigrationError(
      'STATEMENT_FAILED',
      `${schema}.${table} cannot be ${what}: ${message}${sqlStateSuffix(code)}\nhint: As a role that may: ${hints[what]}\nNothing was applied.`,
      { sqlState: code, cause },
    )
  }
}
