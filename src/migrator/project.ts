import type { Database } from '../database.ts'

/** The table that records what is applied. */
export interface LedgerName {
  schema: string
  table: string
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
  /** Runs in a transaction that applies or undoes a migration, just before it is committed; what it throws rolls it back. */
  beforeCommit?: (tx: Database, change: Change) => Promise<void>
  /** What to do about an SQLSTATE, where PostgreSQL itself gives no hint. */
  hintFor?: (sqlState: string) => string | undefined
}
