import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeAll, expect, test } from 'vitest'
import { adopt } from '../../../src/migrate.ts'
import { createDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { placeOfLedger } from '../../support/rows.ts'
import { DEPLOYER } from '../../support/templates.ts'

const baseline = expect.stringMatching(/_secure_the_agent_tables$/)

let at: TestDatabase
beforeAll(async () => {
  at = await createDatabase('built')
  return () => at.drop()
})

const by = DEPLOYER.role
const rights: { given: string; sql: string; refused?: RegExp; mended?: string }[] = [
  { given: 'no schema, and CREATE on the database', sql: 'select' },
  { given: 'its own empty schema', sql: `create schema drizzle authorization ${by}` },
  {
    given: 'no schema, and no CREATE on the database',
    sql: 'alter database %I owner to session_user',
    refused:
      /cannot be created: permission denied for database .*hint: .*create schema if not exists drizzle/s,
    mended: `create schema drizzle; grant usage, create on schema drizzle to ${by}`,
  },
  {
    given: 'a schema of another, with CREATE',
    sql: `create schema drizzle; grant usage, create on schema drizzle to ${by}`,
  },
  {
    given: 'a schema of another, without CREATE',
    sql: `create schema drizzle; grant usage on schema drizzle to ${by}`,
    refused: /cannot be created: permission denied for schema drizzle .*hint: .*grant usage, create/s,
    mended: `grant usage, create on schema drizzle to ${by}`,
  },
  {
    given: 'a schema of another, without any right',
    sql: 'create schema drizzle',
    refused: /cannot be created: permission denied for schema drizzle .*hint: .*grant usage, create/s,
    mended: `grant usage, create on schema drizzle to ${by}`,
  },
  {
    given: 'a ledger of another, in a schema it may not use',
    sql: 'create schema drizzle; create table drizzle.__drizzle_migrations (id serial, hash text, created_at bigint, name text, applied_at timestamptz)',
    refused: /cannot be read: permission denied for schema drizzle .*hint: .*grant usage on schema drizzle/s,
    mended: `grant usage on schema drizzle to ${by}; grant all on all tables in schema drizzle to ${by};
             grant all on all sequences in schema drizzle to ${by}`,
  },
  {
    given: 'a ledger of another, to be read only',
    sql: `create schema drizzle; grant usage on schema drizzle to ${by};
          create table drizzle.__drizzle_migrations (id serial, hash text, created_at bigint, name text, applied_at timestamptz);
          grant select on drizzle.__drizzle_migrations to ${by}`,
    refused:
      /cannot be written: permission denied for table .*hint: .*grant all on all tables in schema drizzle/s,
    mended: `grant all on all tables in schema drizzle to ${by}; grant all on all sequences in schema drizzle to ${by}`,
  },
]

const titled = rights.map(right => {
  const outcome = right.refused ? 'it says what to do, and adopts once that is done' : 'it adopts'
  return [`with ${right.given} ${outcome}`, right] as const
})
test.for(titled)('%s', async ([, { sql: given, refused, mended }]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(given.replace('%I', `"${at.name}"`)))
    const asDeployer = async <T>(work: () => Promise<T>): Promise<T> => {
      await tx.execute(sql.raw(`set local session authorization ${by}`))
      try {
        return await work()
      } finally {
        await tx.execute(sql`reset session authorization`)
      }
    }
    if (refused) {
      const before = await placeOfLedger(tx)
      const error = await asDeployer(() => adopt(tx).catch(error => error))
      expect(error).toMatchObject({ code: 'STATEMENT_FAILED', sqlState: '42501' })
      expect(error.message).toMatch(refused)
      expect(await placeOfLedger(tx)).toEqual(before)
    }
    if (mended) await tx.execute(sql.raw(mended))
    expect(await asDeployer(() => adopt(tx))).toMatchObject({ at: baseline, recorded: { length: 2 } })
    expect(
      await tx.execute(sql`select name from drizzle.__drizzle_migrations order by name`, 'objects'),
    ).toEqual([{ name: expect.stringMatching(/_create_the/) }, { name: baseline }])
  })
})
