import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { pgErrorOf } from '../pg-error.ts'
import { query, reading } from '../query.ts'
import { MigrationError } from './error.ts'
import { failed } from './failure.ts'
import { hashesBeside, type Migration } from './files.ts'
import type { Project } from './project.ts'

/** A row of the ledger: a migration that this database has. */
export interface LedgerEntry {
  name: string
  hash: string
  /** ISO 8601. */
  appliedAt: string | null
  /** The hashes of the scripts beside its `migration.sql` when it was applied; none where drizzle-kit applied it. */
  scripts: Record<string, string>
}

type Ledger = Pick<Project, 'ledger'>

function nameOf({ ledger = { schema: 'drizzle', table: '__drizzle_migrations' } }: Ledger) {
  return { ...ledger, identifier: sql`${sql.identifier(ledger.schema)}.${sql.identifier(ledger.table)}` }
}

/** What to do about a ledger that is not ours. */
export const ANOTHER_LEDGER =
  'If another drizzle project records its migrations there, give this one a table of its own: --ledger schema.table, or AGENTS_DB_LEDGER, which drizzle.config.ts reads too'

/** The ledger with its schema, as PostgreSQL prints it. */
export function ledgerName(project: Ledger): string {
  const { schema, table } = nameOf(project)
  return [schema, table]
    .map(name => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`))
    .join('.')
}

/** What is applied, in the order of the names; nothing where there is no ledger yet. */
export async function readLedger(db: Database, project: Ledger): Promise<LedgerEntry[]> {
  return await reading(db, tx => readEntries(tx, project))
}

async function readEntries(db: Database, project: Ledger): Promise<LedgerEntry[]> {
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
  await refuseForeign(db, project)
  if (!columns.some(column => column.name === 'name')) {
    throw new MigrationError(
      'OLD_LEDGER',
      `${schema}.${table} was made by drizzle-kit before version 1. ${ANOTHER_LEDGER}. If it is this project's, run \`drizzle-kit migrate\` once: it upgrades the table.`,
    )
  }
  const beside = tableBeside(project, '_scripts')
  const scripts = (await beside.find(db))?.readable
    ? sql`coalesce((select jsonb_object_agg(s.file, s.hash) from ${beside.identifier} s where s.name = l.name), '{}')`
    : sql`'{}'`
  const rows = await run<Omit<LedgerEntry, 'scripts'> & { scripts: string }>(
    db,
    project,
    'read',
    sql`select l.name, l.hash, to_jsonb(l.applied_at) #>> '{}' as "appliedAt", ${scripts}::text as scripts
          from ${identifier} l order by l.name collate "C"`,
  )
  return rows.map(row => ({ ...row, scripts: JSON.parse(row.scripts) }))
}

/**
 * A view, a trigger or a policy would run with the rights of who reads or writes the ledger: nobody may have made one who
 * has fewer. A role that only reads a plain table is in no danger.
 *
 * @throws MigrationError `BLOCKED`
 */
async function refuseForeign(db: Database, project: Ledger): Promise<void> {
  const { schema, table } = nameOf(project)
  const names = JSON.stringify(['', '_scripts', '_progress'].map(suffix => `${table}${suffix}`))
  const found = await query<{ relation: string; owner: string; self: string; trigger: string | null }>(
    db,
    sql`with strangers as (
          select oid, rolname as owner from pg_catalog.pg_roles
           where not rolsuper and not pg_has_role(oid, 'MEMBER')
             and oid <> (select datdba from pg_catalog.pg_database where datname = current_database())
        ), relations as (
          select c.oid, c.oid::regclass::text as relation, c.relowner, has_table_privilege(c.oid, 'INSERT') as writable,
                 c.relkind not in ('r', 'p') or c.relrowsecurity as runs_when_read
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
           where n.nspname = ${schema} and ${names}::text::jsonb ? c.relname
        )
        select relation, owner, current_user as self, null as trigger
          from relations join strangers s on s.oid = relowner
         where writable or runs_when_read
         union all
        select relation, owner, current_user, t.tgname
          from relations r
          join pg_catalog.pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
          join pg_catalog.pg_proc f on f.oid = t.tgfoid
          join strangers s on s.oid = f.proowner
         where writable`,
  )
  if (found.length === 0) return
  const reasons = found.map(({ relation, owner, self, trigger }) =>
    trigger === null
      ? `${relation} belongs to ${owner}, who could have it run anything with your rights. If it is this project's, give it to who deploys: alter table ${relation} owner to ${self}`
      : `trigger ${trigger} on ${relation} runs a function that belongs to ${owner} with your rights. Drop it.`,
  )
  const lines = ['the ledger is not safe to use:', ...reasons, 'Nothing was run.']
  throw new MigrationError('BLOCKED', lines.join('\n'))
}

/** Creates the ledger as drizzle's own migrator does, unless it is there. */
export async function ensureLedger(db: Database, project: Ledger): Promise<void> {
  const { find, create } = tableBeside(project, '')
  // "if not exists" needs the right to create schemas even where there is nothing to do.
  if (!(await find(db)))
    await run(db, project, 'created', sql`create schema ${sql.identifier(nameOf(project).schema)}`)
  await create(
    db,
    sql`(
      id         serial primary key,
      hash       text not null,
      created_at bigint,
      name       text,
      applied_at timestamp with time zone default now()
    )`,
  )
}

/** A table beside the ledger, which has its name and a suffix; without one, the ledger itself. */
export function tableBeside(project: Ledger, suffix: string) {
  const { schema, table } = nameOf(project)
  const identifier = sql`${sql.identifier(schema)}.${sql.identifier(`${table}${suffix}`)}`
  /** Whether the table is there or, where it is not, can be created. */
  const find = async (db: Database) => {
    const [found] = await query<{ there: boolean; readable: boolean; creatable: boolean }>(
      db,
      sql`select c.oid is not null                              as there,
                 coalesce(has_table_privilege(c.oid, 'SELECT'), false) as readable,
                 has_schema_privilege(n.oid, 'CREATE')          as creatable
            from pg_catalog.pg_namespace n
            left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = ${`${table}${suffix}`}
           where n.nspname = ${schema}`,
    )
    return found
  }
  return {
    identifier,
    find,
    // "if not exists" needs the right to create even where there is nothing to do.
    create: async (db: Database, columns: SQL) => {
      if ((await find(db))?.there) return
      await run(db, project, 'created', sql`create table ${identifier} ${columns}`)
    },
    drop: async (db: Database) => {
      if ((await find(db))?.there) await run(db, project, 'written', sql`drop table ${identifier}`)
    },
  }
}

/** Inserts a row as drizzle-kit would. */
export async function insertEntry(db: Database, project: Ledger, migration: Migration): Promise<void> {
  const { hash, folderMillis, name } = migration
  const values = sql`(hash, created_at, name) values (${hash}, ${folderMillis}, ${name})`
  await run(db, project, 'written', sql`insert into ${nameOf(project).identifier} ${values}`)
  await recordScripts(db, project, name, hashesBeside(migration))
}

/** Gives an applied migration the hashes that its files have now. */
export async function updateEntry(db: Database, project: Ledger, migration: Migration): Promise<void> {
  const { identifier } = nameOf(project)
  const { hash, name } = migration
  await run(db, project, 'written', sql`update ${identifier} set hash = ${hash} where name = ${name}`)
  await recordScripts(db, project, name, hashesBeside(migration))
}

export async function deleteEntry(db: Database, project: Ledger, { name }: Migration): Promise<void> {
  await run(db, project, 'written', sql`delete from ${nameOf(project).identifier} where name = ${name}`)
  await recordScripts(db, project, name, {})
}

async function recordScripts(db: Database, project: Ledger, name: string, hashes: Record<string, string>) {
  const { identifier, find, create } = tableBeside(project, '_scripts')
  const found = await find(db)
  // A role that may only write the ledger records no more than drizzle-kit does.
  if (!found?.there && !found?.creatable) return
  await create(db, sql`(name text, file text, hash text not null, primary key (name, file))`)
  await run(db, project, 'written', sql`delete from ${identifier} where name = ${name}`)
  await run(
    db,
    project,
    'written',
    sql`insert into ${identifier} (name, file, hash)
        select ${name}, key, value from jsonb_each_text(${JSON.stringify(hashes)}::text::jsonb)`,
  )
}

/** Runs a statement. If a privilege is missing, or the sequence is behind, the error says what helps. */
async function run<Row extends Record<string, unknown>>(
  db: Database,
  project: Ledger,
  what: 'created' | 'read' | 'written',
  statement: SQL,
): Promise<Row[]> {
  return await query<Row>(db, statement).catch(cause => {
    const { schema, table } = nameOf(project)
    const hint = hintFor(pgErrorOf(cause).code, what, schema, table)
    if (hint === undefined) throw cause
    const place = `${schema}.${table} cannot be ${what}`
    throw failed(place, ['The ledger was not changed.'], cause, () => hint)
  })
}

function hintFor(
  code: string | undefined,
  what: 'created' | 'read' | 'written',
  schema: string,
  table: string,
) {
  if (code === '23505')
    return `Its sequence is behind its rows, as after a restore of data alone: select setval('${schema}.${table}_id_seq', (select max(id) from ${schema}.${table}))`
  if (code !== '42501') return undefined
  const grants =
    what === 'created'
      ? `create schema if not exists ${schema}; grant usage, create on schema ${schema}`
      : `grant usage on schema ${schema}; grant all on all tables in schema ${schema}, and on all sequences,`
  return `As a role that may: ${grants} to the role that deploys.`
}
