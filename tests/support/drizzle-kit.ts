import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { readCatalog } from './catalog.ts'
import type { TestDatabase } from './database.ts'
import { run } from './process.ts'
import { root } from './root.ts'

/** Runs drizzle-kit as the person who deploys would. */
export async function drizzleKit(args: string[], { url, cwd = root }: { url: string; cwd?: string }) {
  return await run(join(root, 'node_modules/.bin/drizzle-kit'), args, { cwd, env: { DATABASE_URL: url } })
}

export async function kitMigrates({ url }: TestDatabase, folder?: string): Promise<void> {
  const args = folder ? ['migrate', '--config', 'drizzle.config.mjs'] : ['migrate']
  const result = await drizzleKit(args, folder ? { url, cwd: dirname(folder) } : { url })
  expect(result).toMatchObject({ code: 0 })
}

/** Everything that two ways of migrating must agree on: our schemas and drizzle's ledger, without the clock's part. */
export async function outcome({ admin, sql }: TestDatabase) {
  return {
    catalog: await readCatalog(sql),
    ledger: [
      ...(await admin`select id, hash, created_at, name from drizzle.__drizzle_migrations order by id`),
    ],
    columns: [
      ...(await admin`
        select column_name, data_type, is_nullable, column_default, ordinal_position from information_schema.columns
         where table_schema = 'drizzle' and table_name = '__drizzle_migrations' order by ordinal_position`),
    ],
    keys: [
      ...(await admin`
        select conname, pg_get_constraintdef(oid) as definition from pg_constraint
         where conrelid = 'drizzle.__drizzle_migrations'::regclass order by conname`),
    ],
    untimed: [...(await admin`select from drizzle.__drizzle_migrations where applied_at is null`)].length,
  }
}
