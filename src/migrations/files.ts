import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/** One statement of a file, with the comment above it, and the line that the statement itself begins on. */
export interface Statement {
  sql: string
  line: number
}

/** A file of statements, in one of the roles that a migration's folder knows. */
export interface Script {
  file: 'migration.sql' | 'online.sql' | 'down.sql' | 'down.online.sql' | 'down.check.sql'
  statements: Statement[]
}

/** A folder of `drizzle/`. */
export interface Migration {
  name: string
  /** As drizzle's own migrator computes and records it. */
  hash: string
  /** What the hash would be with the other line endings: a checkout on Windows is no edit. */
  sameHashes: string[]
  /** Milliseconds since 1970 of the folder's timestamp; drizzle records it as `created_at`. */
  folderMillis: number
  up: Script
  /** Run before `up`, each statement outside a transaction. */
  upOnline: Script | undefined
  down: Script | undefined
  downOnline: Script | undefined
  /** Reads only, and raises what stands in the way of `down`; run before a rollback that includes it begins. */
  downCheck: Script | undefined
}

/** The `drizzle/` that travels with this package. */
export function packagedMigrations(): string {
  return fileURLToPath(new URL('../../drizzle', import.meta.url))
}

/** Reads every migration of a folder, in the order they are applied. */
export function readMigrations(folder: string): Migration[] {
  return readMigrationFiles({ migrationsFolder: folder }).map(({ name, hash, folderMillis, sql }) => {
    const text = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
    const unix = text.replaceAll('\r\n', '\n')
    return {
      name,
      hash,
      sameHashes: [text, unix, unix.replaceAll('\n', '\r\n')].map(sha256),
      folderMillis,
      up: { file: 'migration.sql', statements: withLines(sql) },
      upOnline: readScript(folder, name, 'online.sql'),
      down: readScript(folder, name, 'down.sql'),
      downOnline: readScript(folder, name, 'down.online.sql'),
      downCheck: readScript(folder, name, 'down.check.sql'),
    }
  })
}

function readScript(folder: string, name: string, file: Script['file']): Script | undefined {
  const path = join(folder, name, file)
  if (!existsSync(path)) return undefined
  return { file, statements: withLines(readFileSync(path, 'utf8').split('--> statement-breakpoint')) }
}

function withLines(chunks: string[]): Statement[] {
  let line = 1
  const statements = chunks.map(chunk => {
    const heading = headingOf(chunk)
    const statement = { sql: chunk.trim().replaceAll('\r\n', '\n'), line: line + newlines(heading) }
    line += newlines(chunk)
    return statement
  })
  return statements.filter(statement => statement.sql !== '')
}

/** The line that a statement's text begins on, with the comment above it. */
export function firstLine({ sql, line }: Statement): number {
  return line - newlines(headingOf(sql))
}

/** Comments and empty lines above a statement. */
function headingOf(text: string): string {
  return /^(?:\s*--[^\n]*\n)*\s*/.exec(text)?.[0] ?? ''
}

export function newlines(text: string): number {
  return text.split('\n').length - 1
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
