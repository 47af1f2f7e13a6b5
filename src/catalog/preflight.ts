import type { Database } from '../database.ts'
import type { Migration } from '../migrator/files.ts'
import { findDropped } from '../migrator/parse.ts'
import type { Finding } from '../migrator/project.ts'
import { readSettled } from '../pg-error.ts'
import { query, transaction } from '../query.ts'
import { readCatalogs } from './files.ts'
import { readQuery } from './sql-file.ts'

interface Row extends Record<string, unknown> {
  migration: string
  dropped: string
  object: string
  effect: 'blocks' | 'names it' | 'would lose values' | 'is lost' | 'would run as us'
  definition: string | null
}

/**
 * Finds what is not of these migrations and hangs on what their scripts drop or rename: views, keys, functions, policies,
 * triggers, publications, columns; and operators and functions of others that their statements would call. Reads PostgreSQL's catalogs alone, and takes no lock on a table.
 *
 * @param migrations those that are to be applied or undone
 */
export async function findDependents(
  db: Database,
  folder: string,
  way: 'up' | 'down',
  migrations: Migration[],
): Promise<Finding[]> {
  const dropped = []
  for (const { name, up, upOnline, down, downOnline } of migrations) {
    for (const script of way === 'up' ? [upOnline, up] : [downOnline, down]) {
      if (script) for (const object of await findDropped(script)) dropped.push({ migration: name, ...object })
    }
  }
  if (migrations.length === 0) return []
  const statement = readQuery('preflight.sql', { dropped, known: namesOfOurs(folder) })
  const read = (tx: Database) => query<Row>(tx, statement)
  const rows = await readSettled(() => transaction(db, read, { accessMode: 'read only' }))
  return rows.map(row => ({
    object: row.object,
    migration: row.migration,
    blocks: row.effect !== 'is lost',
    definition: row.definition,
    message: messageOf(row),
  }))
}

/** The names of objects and of their parts, in the catalog of any migration. */
function namesOfOurs(folder: string): Record<string, string[]> {
  const names: Record<string, string[]> = {}
  for (const catalog of readCatalogs(folder).values())
    for (const [object, facts] of Object.entries(catalog))
      names[object] = [...(names[object] ?? []), ...Object.keys(facts)]
  return names
}

function messageOf({ object, dropped, migration, effect, definition }: Row): string {
  const change = `${dropped}, which ${migration} ${dropped.startsWith('renamed') ? 'renames' : 'drops'}`
  switch (effect) {
    case 'blocks':
      return `${object} depends on ${change}`
    case 'names it':
      return `${object} names ${change}`
    case 'would lose values':
      return `${object} is not of these migrations: ${migration} would lose its values`
    case 'would run as us':
      return `${object} belongs to ${dropped}, and statements of the migrations would run it with your rights. Drop it, and revoke create on schema public from ${dropped}`
    case 'is lost':
      return `${object} goes with ${change}, and does not come back in a rollback${definition ? `: ${definition}` : ''}`
  }
}
