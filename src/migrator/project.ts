import type { Database } from '../database.ts'
import type { Migration } from './files.ts'

/** The table that records what is applied. */
export interface LedgerName {
  schema: string
  table: string
}

/** Something of somebody else's that hangs on what a migration drops or renames, or would run with our rights. */
export interface Finding {
  /** `view public.report`, `column nickname on public.orders` */
  object: string
  /** The migration that drops or renames it; empty where it concerns all of them. */
  migration: string
  /** Whether nothing may be run because of it. Otherwise it is lost with what is dropped. */
  blocks: boolean
  /** How to make it again, where PostgreSQL can tell. */
  definition: string | null
  message: string
}

/** A migration that is applied or undone. */
export interface Change {
  name: string
  way: 'up' | 'down'
  /** The last migration that is applied afterwards; undefined where none is. */
  at: string | undefined
}

/** A folder of migrations, and what running them needs besides. */
export interface Project {
  /** In drizzle's v1 layout. */
  folder: string
  /** drizzle's own, `drizzle.__drizzle_migrations`, unless given. */
  ledger?: LedgerName
  /**
   * Finds what is not of these migrations and stands in their way, or would be lost with them. Called before anything runs;
   * only reads.
   */
  preflight?: (db: Database, way: 'up' | 'down', migrations: Migration[]) => Promise<Finding[]>
  /** Runs in a transaction that applies or undoes a migration, just before it is committed; what it throws rolls it back. */
  beforeCommit?: (tx: Database, change: Change) => Promise<void>
  /** What to do about an SQLSTATE, where PostgreSQL itself gives no hint. */
  hintFor?: (sqlState: string) => string | undefined
}
