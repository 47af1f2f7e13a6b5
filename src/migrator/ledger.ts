import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { formatPgError, pgErrorOf } from '../pg-error.ts'
import { query } from '../query.ts'
import { MigrationError } from './error.ts'
import type { Migration } from './files.ts'
import type { Project } from './project.ts'

/** A row of the ledger: a migration that this database has. */
export interface LedgerEntry extends Record<string, unknown> {
  name: string
  hash: string
  appliedAt: string | null
}

type Ledger = Pick<Project, 'ledger'>

function nameOf({ ledger = { schema: 'drizzle', table: '__drizzle_migrations' } }: Ledger) {
  return { ...ledger, identifier: sql`${sql.identifier(ledger.schema)}.${sql.identifier(ledger.table)}` }
}

/** The ledger with its schema, as PostgreSQL prints it. */
export function ledgerName(project: Ledger): string {
  const { schema, table } = nameOf(project)
  return [schema, table]
    .map(name => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`))
    .join('.')
}

/** What to do about a ledger that is not ours. */
export const ANOTHER_LEDGER =
  'If another drizzle project records its migrations there, give this one a table of its own: --ledger schema.table, or AGENTS_DB_LEDGER, which drizzle.config.ts reads too'

/** What is applied, in the order of the names; nothing where there is no ledger yet. */
export async function readLedger(db: Database, project: Ledger): Promise<LedgerEntry[]> {
  const { schema, table, identifier } = nameOf(project)
  // From the catalogs: to name a table that is not there, one needs the right to use its schema all the same.
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
      `${schema}.${table} was made by drizzle-kit before version 1. ${ANOTHER_LEDGER}. If it is this project's, run \`drizzle-kit migrate\` once: it upgrades the table.`,
    )
  }
  return await run<LedgerEntry>(
    db,
    project,
    'read',
    sql`select name, hash, applied_at::text as "appliedAt" from ${identifier} order by name collate "C"`,
  )
}

/** Creates the ledger as drizzle's own migrator does, unless it is there. */
export async function ensureLedger(db: Database, project: Ledger): Promise<void> {
  const { schema, table, identifier } = nameOf(project)
  const [found] = await query<{ schema: boolean; ledger: boolean }>(
    db,
    sql`select count(*) > 0 as schema, count(c.oid) > 0 as ledger
          from pg_catalog.pg_namespace n
          left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = ${table}
         where n.nspname = ${schema}`,
  )
  // "if not exists" needs the right to create schemas even where there is nothing to do.
  if (!found?.schema) await run(db, project, 'created', sql`create schema ${sql.identifier(schema)}`)
  if (found?.ledger) return
  await run(
    db,
    project,
    'created',
    sql`
      create table ${identifier} (
        id         serial primary key,
        hash       text not null,
        created_at bigint,
        name       text,
        applied_at timestamp with time zone default now()
      )`,
  )
}

/** A table beside the ledger that has its name and a suffix. */
export function besideLedger(project: Ledger, suffix: string) {
  const { schema, table } = nameOf(project)
  const identifier = sql`${sql.identifier(schema)}.${sql.identifier(`${table}${suffix}`)}`
  return {
    identifier,
    name: [schema, `${table}${suffix}`].map(part => `"${part.replaceAll('"', '""')}"`).join('.'),
    create: (db: Database, columns: SQL) =>
      run(db, project, 'created', sql`create table if not exists ${identifier} ${columns}`),
  }
}

/** Inserts a row as drizzle-kit would. */
export async function insertEntry(db: Database, project: Ledger, migration: Migration): Promise<void> {
  const { hash, folderMillis, name } = migration
  const values = sql`(hash, created_at, name) values (${hash}, ${folderMillis}, ${name})`
  await run(db, project, 'written', sql`insert into ${nameOf(project).identifier} ${values}`)
}

/** Gives an applied migration another hash. */
export async function updateHash(db: Database, project: Ledger, name: string, hash: string): Promise<void> {
  const { identifier } = nameOf(project)
  await run(db, project, 'written', sql`update ${identifier} set hash = ${hash} where name = ${name}`)
}

/** Deletes a row. */
export async function deleteEntry(db: Database, project: Ledger, { name }: Migration): Promise<void> {
  await run(db, project, 'written', sql`delete from ${nameOf(project).identifier} where name = ${name}`)
}

/** Runs a statement. If a privilege is missing, the error says which grants help. */
async function run<Row extends Record<string, unknown>>(
  db: Database,
  project: Ledger,
  what: 'created' | 'read' | 'written',
  statement: SQL,
): Promise<Row[]> {
  return await query<Row>(db, statement).catch(cause => {
    const error = pgErrorOf(cause)
    if (error.code !== '42501') throw cause
    const { schema, table } = nameOf(project)
    const grants =
      what === 'created'
        ? `create schema if not exists ${schema}; grant usage, create on schema ${schema}`
        : `grant usage on schema ${schema}; grant all on all tables in schema ${schema}, and on all sequences,`
    const hint = `As a role that may: ${grants} to the role that deploys.`
    const message = `${schema}.${table} cannot be ${what}: ${formatPgError({ ...error, message: error.message, hint })}`
    throw new MigrationError('STATEMENT_FAILED', `${message}\nThe ledger was not changed.`, {
      sqlState: error.code,
      cause,
    })
  })
}
