import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { MigrationError, statementFailed } from './error.ts'
import type { Migration, Statement } from './files.ts'
import { ensureLedger, readLedger } from './ledger.ts'

/** One key for every migrator of this package, on any database: 'agdb' in ASCII. */
const lockKey = 0x61676462

/** A migrator that has to wait longer than this gives up. */
const patience = 10 * 60_000

interface Step {
  migration: Migration
  file: 'migration.sql' | 'down.sql'
  statements: Statement[]
  /** Whether, under the lock, the step is still to be done. */
  due: (applied: Set<string>) => boolean
  /** Writes the ledger. */
  settle: (db: Database, migration: Migration) => Promise<void>
}

/**
 * Does one step in one transaction, or finds it done: the ledger is read again once no other migrator
 * is at work. The lock ends with the transaction, so it holds behind a pooler too and leaves no orphan.
 *
 * @returns whether it was done here
 * @throws MigrationError `LOCKED`, `STATEMENT_FAILED`
 */
export async function takeStep(db: Database, step: Step): Promise<boolean> {
  return await db.transaction(async tx => {
    await lock(tx)
    await ensureLedger(tx)
    const applied = new Set((await readLedger(tx)).map(entry => entry.name))
    if (!step.due(applied)) return false

    // drizzle-kit writes table names without their schema.
    await tx.execute(sql`select set_config('search_path', 'public', true)`)
    for (const statement of step.statements) {
      try {
        await tx.execute(sql.raw(statement.sql))
      } catch (cause) {
        throw statementFailed(step.migration, step.file, step.statements, statement, cause)
      }
    }
    await step.settle(tx, step.migration)
    return true
  })
}

async function lock(tx: Database): Promise<void> {
  const deadline = Date.now() + patience
  for (;;) {
    const [row] = await tx.execute<{ locked: boolean }>(
      sql`select pg_try_advisory_xact_lock(${lockKey}::bigint) as locked`,
      'objects',
    )
    if (row?.locked) return
    if (Date.now() > deadline) {
      throw new MigrationError(
        'LOCKED',
        'another migration has been running for ten minutes; nothing was done',
      )
    }
    await pause(25 + Math.random() * 50)
  }
}
