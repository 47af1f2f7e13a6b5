import type { Database } from '../database.ts'
import type { Migration } from './files.ts'

/** The table that records what is applied. */
export interface LedgerName {
  schema: string
  table: string
}

/** A folder of migrations, and what running them needs besides. */
export interface Project {
  /** In drizzle's v1 layout. */
  folder: string
  /** drizzle's own, `drizzle.__drizzle_migrations`, unless given. */
  ledger?: LedgerName
  /** Runs in a migration's transaction just before it is committed; what it throws rolls the migration back. */
  beforeCommit?: (tx: Database, migration: Migration, isLast: boolean) => Promise<void>
  /** What to do about an SQLSTATE, where PostgreSQL itself gives no hint. */
  hintFor?: (sqlState: string) => string | undefined
}
