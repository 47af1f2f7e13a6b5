import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'

export interface Statement {
  /** With the comment above it. */
  sql: string
  /** The line that the statement itself begins on, below its comment. */
  line: number
}

/** One of the files of statements that a migration's folder may hold. */
export interface Script {
  file: 'migration.sql' | 'online.sql' | 'down.sql' | 'down.online.sql' | 'down.check.sql'
  /** The name of the migration and the file. */
  path: string
  /** SHA-256, with the line endings of Unix. */
  hash: string
  statements: Statement[]
}

/** One migration: a folder with `migration.sql` and the scripts it may have beside it. */
export interface Migration {
  name: string
  /** As drizzle's own migrator computes and records it. */
  hash: string
  /** Its hash with each kind of line ending: a checkout on Windows is not an edit. */
  sameHashes: string[]
  /** The folder's timestamp in milliseconds since 1970; drizzle records it as `created_at`. */
  folderMillis: number
  up: Script
  /** Runs before `up`, each statement outside its transaction. */
  upOnline: Script | undefined
  down: Script | undefined
  downOnline: Script | undefined
  /** Reads, and raises what would prevent `down`; runs before a rollback that includes it begins. */
  downCheck: Script | undefined
}

/** Reads every migration of a folder, in the order they are applied. */
export function readMigrations(folder: string): Migration[] {
  return readMigrationFiles({ migrationsFolder: folder }).map(({ name, hash, folderMillis }) => {
    const text = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
    const unix = text.replaceAll('\r\n', '\n')
    return {
      name,
      hash,
      sameHashes: [text, unix, unix.replaceAll('\n', '\r\n')].map(sha256),
      folderMillis,
      up: scriptOf(name, 'migration.sql', text),
      upOnline: readScript(folder, name, 'online.sql'),
      down: readScript(folder, name, 'down.sql'),
      downOnline: readScript(folder, name, 'down.online.sql'),
      downCheck: readScript(folder, name, 'down.check.sql'),
    }
  })
}

function readScript(folder: string, name: string, file: Script['file']): Script | undefined {
  const path = join(folder, name, file)
  return existsSync(path) ? scriptOf(name, file, readFileSync(path, 'utf8')) : undefined
}

function scriptOf(name: string, file: Script['file'], text: string): Script {
  const hash = sha256(text.replaceAll('\r\n', '\n'))
  const statements = withLines(text.split('--> statement-breakpoint'))
  return { file, path: `${name}/${file}`, hash, statements }
}

/** The hashes of the scripts beside `migration.sql`, by their names. */
export function hashesBeside({ upOnline, down, downOnline, downCheck }: Migration): Record<string, string> {
  const scripts = [upOnline, down, downOnline, downCheck].filter(script => script !== undefined)
  return Object.fromEntries(scripts.map(({ file, hash }) => [file, hash]))
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

/** The line that the comment above a statement begins on. */
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
