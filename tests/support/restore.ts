import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ownDatabase, type TestDatabase } from './database.ts'

const printed = readFileSync(new URL('dump.sql', import.meta.url), 'utf8')

/**
 * A copy of a database as a dump and restore leaves it, without rows: by pg_dump and psql of the directory in
 * TEST_PG_PROGRAMS, or else, since npm offers no pg_dump, from what PostgreSQL prints of each object.
 */
export async function restore(source: TestDatabase): Promise<TestDatabase> {
  const copy = await ownDatabase('stub_old')
  const programs = process.env.TEST_PG_PROGRAMS
  if (programs) {
    await copy.admin`drop schema auth cascade`
    const run = promisify(execFile)
    const dump = await run(join(programs, 'pg_dump'), ['--schema-only', source.adminUrl])
    const restoring = run(join(programs, 'psql'), ['-qX', '-v', 'ON_ERROR_STOP=1', copy.adminUrl])
    restoring.child.stdin?.end(dump.stdout.replace('CREATE SCHEMA public;', ''))
    await restoring
    return copy
  }
  const statements = await source.admin.begin(async tx => {
    await tx`select set_config('search_path', '', true)`
    return await tx.unsafe<{ statement: string }[]>(printed, [['public', 'archive']])
  })
  await copy.admin.begin(async tx => {
    await tx`select set_config('search_path', '', true)`
    for (const { statement } of statements) await tx.unsafe(statement)
  })
  return copy
}

/** The checks of our tables, as PostgreSQL prints them. */
export const checksIn = ({ admin }: TestDatabase) => admin`
  select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as is
    from pg_constraint
   where contype = 'c' and connamespace = 'public'::regnamespace and conrelid <> 0
   order by 1, 2`
