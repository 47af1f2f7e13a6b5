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

/**
 * Runs in each transaction of a migration, just before it is committed; what it throws rolls it back.
 *
 * @param at the last migration that is applied once the transaction is committed; undefined where none is
 */
export type Guard = (tx: Database, at: string | undefined) => Promise<void>

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
  /** Called before anything of a migration is run or undone; `from` is the last that is applied then. */
  guard?: (tx: Database, from: string | undefined) => Promise<Guard>
  /** What to do about an SQLSTATE, where PostgreSQL itself gives no hint. */
  hintFor?: (sqlState: string) => string | undefined
}
