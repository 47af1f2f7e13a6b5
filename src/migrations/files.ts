import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/** One statement of a migration's file, and the line it begins on. */
export interface Statement {
  sql: string
  line: number
}

/** A folder of `drizzle/`: the step up, and the step down where there is one. */
export interface Migration {
  name: string
  /** As drizzle's own migrator computes and records it. */
  hash: string
  /** Milliseconds since 1970 of the folder's timestamp; drizzle records it as `created_at`. */
  folderMillis: number
  up: Statement[]
  down: Statement[] | undefined
}

/** The `drizzle/` that travels with this package. */
export function packagedMigrations(): string {
  return fileURLToPath(new URL('../../drizzle', import.meta.url))
}

/** Reads every migration of a folder, in the order they are applied. */
export function readMigrations(folder: string): Migration[] {
  return readMigrationFiles({ migrationsFolder: folder }).map(({ name, hash, folderMillis, sql }) => ({
    name,
    hash,
    folderMillis,
    up: withLines(sql),
    down: readDown(join(folder, name, 'down.sql')),
  }))
}

function readDown(path: string): Statement[] | undefined {
  if (!existsSync(path)) return undefined
  return withLines(readFileSync(path, 'utf8').split('--> statement-breakpoint'))
}

function withLines(chunks: string[]): Statement[] {
  let line = 1
  return chunks.map(chunk => {
    const blank = /^\s*/.exec(chunk)?.[0] ?? ''
    const statement = { sql: chunk.trim(), line: line + newlines(blank) }
    line += newlines(chunk)
    return statement
  })
}

function newlines(text: string): number {
  return text.split('\n').length - 1
}
