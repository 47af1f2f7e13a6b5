import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { adopt } from '../../../src/migrate.ts'
import { sharedDatabase, undone } from '../../support/database.ts'
import { baseline, named } from '../../support/migrations.ts'
import { placeOfLedger } from '../../support/rows.ts'
import { DEPLOYER } from '../../support/templates.ts'

const by = DEPLOYER.role
const schema = 'create schema drizzle;'
const usage = `grant usage on schema drizzle to ${by};`
const create = `grant usage, create on schema drizzle to ${by};`
const ledger = `create table drizzle.__drizzle_migrations
                  (id serial, hash text, created_at bigint, name text, applied_at timestamptz);`
const all = `grant all on all tables in schema drizzle to ${by};
             grant all on all sequences in schema drizzle to ${by};`

const at = sharedDatabase('built')

test.for([
  ['no schema, and CREATE on the database', 'select'],
  ['its own empty schema', `create schema drizzle authorization ${by}`],
  ['a schema of another, with CREATE', schema + create],
])('a deployer with %s adopts', async ([, given]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(given!))
    await tx.execute(sql.raw(`set local session authorization ${by}`))
    expect(await adopt(tx)).toMatchObject({ at: named(baseline), recorded: { length: 2 } })
  })
})

const cannotCreate = /cannot be created: permission denied for schema drizzle .*hint: .*grant usage, create/s
test.for<[string, string, RegExp, string]>([
  [
    'no schema, and no CREATE on the database',
    'alter database %I owner to session_user',
    /cannot be created: permission denied for database .*hint: .*create schema if not exists drizzle/s,
    schema + create,
  ],
  ['a schema of another, without CREATE', schema + usage, cannotCreate, create],
  ['a schema of another, without any right', schema, cannotCreate, create],
  [
    'a ledger of another, in a schema it may not use',
    schema + ledger,
    /cannot be read: permission denied for schema drizzle .*hint: .*grant usage on schema drizzle/s,
    usage + all,
  ],
  [
    'a ledger of another that it may only read',
    `${schema} ${usage} ${ledger} grant select on drizzle.__drizzle_migrations to ${by}`,
    /cannot be written: permission denied for table .*hint: .*grant all on all tables in schema drizzle/s,
    all,
  ],
])('a deployer with %s learns what to do, and adopts once it is done', async ([, given, refused, mended]) => {
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(sql.raw(given.replace('%I', `"${at.name}"`)))
    const before = await placeOfLedger(tx)
    await tx.execute(sql.raw(`set local session authorization ${by}`))
    await expect(adopt(tx)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      sqlState: '42501',
      message: expect.stringMatching(refused),
    })
    await tx.execute(sql`reset session authorization`)
    expect(await placeOfLedger(tx)).toEqual(before)

    await tx.execute(sql.raw(mended))
    await tx.execute(sql.raw(`set local session authorization ${by}`))
    expect(await adopt(tx)).toMatchObject({ at: named(baseline), recorded: { length: 2 } })
    expect(await tx.execute(sql`select from drizzle.__drizzle_migrations`)).toHaveLength(2)
  })
})

test('a deployer who may not act as the owner of the tables learns which grant helps, and adopts once it is done', async () => {
  const owner = `${at.name}_owner`
  await undone(drizzle({ client: at.admin }), async tx => {
    await tx.execute(
      sql.raw(`create role ${owner}; grant create on schema public to ${owner}; grant ${by} to ${owner}`),
    )
    for (const table of ['llms', 'memories', 'profiles', 'user_agent_catalog', 'user_agents'])
      await tx.execute(sql.raw(`alter table public.${table} owner to ${owner}`))
    await tx.execute(sql.raw(`alter function public.create_profile_for_new_user() owner to ${owner}`))
    await tx.execute(sql.raw(`set local session authorization ${by}`))
    await expect(adopt(tx)).rejects.toMatchObject({
      code: 'NOT_ADOPTABLE',
      message: expect.stringContaining(`grant ${owner} to ${by}`),
    })
    await tx.execute(sql`reset session authorization`)
    await tx.execute(sql.raw(`revoke ${by} from ${owner}; grant ${owner} to ${by}`))
    await tx.execute(sql.raw(`set local session authorization ${by}`))
    expect(await adopt(tx)).toMatchObject({ at: named(baseline), recorded: { length: 2 } })
  })
})
