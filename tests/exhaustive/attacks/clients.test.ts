import type postgres from 'postgres'
import { beforeAll, describe, expect, test } from 'vitest'
import { sharedDatabase, signUp } from '../../support/database.ts'
import { populate, relationsIn, topUp } from '../../support/inventory.ts'
import { baseline, commitPoints, hasReached, reach } from '../../support/migrations.ts'
import { sample } from '../../support/sample.ts'
import { connect } from '../../support/templates.ts'
import { attacks, attempt, gotNothing, metRows, type Outcome, statementOf, type Target } from './attackers.ts'

const clients = ['anon', 'authenticated']
const behindPolicies = Object.keys(attacks).filter(name => attacks[name]!.isBehindPolicies)

describe.each(['stub_old', 'stub_new'])('in a database with the default grants of %s', template => {
  let sql: postgres.Sql
  let user: string
  const database = sharedDatabase(template, async at => {
    await reach(at.db, commitPoints[0]!)
    await populate(at)
    user = await signUp(at.admin)
  })
  beforeAll(() => {
    // A prepared "select *" would fail for its columns, which come and go, and not for want of rights.
    sql = connect(database.url, { prepare: false })
    return () => sql.end()
  })

  describe.each(sample(`clients ${template}`, commitPoints, 2))('$way to $at', point => {
    let targets: Target[]
    let open: Target[]
    let tables: string[]
    beforeAll(async () => {
      await reach(database.db, point)
      await topUp(database, point)
      const found = await relationsIn(database)
      tables = found.tables
      targets = await Promise.all(found.all.map(relation => targetOf(sql, relation)))
      open = targets.filter(({ relation }) => found.open.includes(relation))
    })

    test('the owner meets rows with every statement on every table', async () => {
      const tried = await tryAll(sql, targets, Object.keys(attacks))
      expect(tried.filter(({ outcome }) => !metRows(outcome))).toEqual([])
    })

    test.each(clients)(
      '%s, with the token of a user, gets nothing with any statement on any table',
      async role => {
        const before = await contents(sql, targets)
        const tried = await tryAll(sql, targets, Object.keys(attacks), { role, user })
        expect(tried.filter(({ outcome }) => !gotNothing(outcome))).toEqual([])
        expect(await contents(sql, targets)).toEqual(before)
      },
    )

    test.each(clients)('%s gets nothing out of any function', async role => {
      const calls = await callsIn(sql)
      for (const call of calls)
        expect([call, await attempt(sql, call, { role })]).toEqual([call, { sqlState: '42501' }])
      for (const call of calls) expect(await attempt(sql, call)).not.toEqual({ sqlState: '42501' })
    })

    test.each(clients)('row level security denies %s what a grant would allow', async role => {
      const as = { role, user, first: (tx: postgres.TransactionSql) => grantAll(tx, role) }
      const granted = await tryAll(sql, open, behindPolicies, as)
      expect(granted.filter(({ outcome }) => !gotNothing(outcome))).toEqual([])

      const bare = await tryAll(sql, open, behindPolicies, {
        ...as,
        first: async tx => {
          // First: a grant holds the tables as a reader does (PostgreSQL 18), and two such would wait for each other.
          for (const table of tables) await tx`alter table ${tx(table)} disable row level security`
          await grantAll(tx, role)
        },
      })
      expect(bare.filter(({ outcome }) => !metRows(outcome))).toEqual([])
    })

    const secured = hasReached(point, baseline)
    test(`service_role ${secured ? 'reads and writes every table in public, and no more' : 'has no rights yet'}`, async () => {
      const role = 'service_role'
      const tried = await tryAll(sql, open, behindPolicies, { role })
      expect(tried.filter(({ outcome }) => (secured ? !metRows(outcome) : !gotNothing(outcome)))).toEqual([])
      const further = [
        'truncate',
        'add a trigger',
        'add a policy',
        'switch row level security off',
        'take it over',
      ]
      const denied = await tryAll(sql, open, further, { role })
      expect(denied.filter(({ outcome }) => !gotNothing(outcome))).toEqual([])
    })
  })
})

describe('at the baseline', () => {
  const database = sharedDatabase('baseline', populate)

  test('row level security does not stop truncate, which is why the grants must', async () => {
    const truncate = 'truncate public.profiles cascade'
    expect(await attempt(database.sql, truncate, { role: 'anon' })).toEqual({ sqlState: '42501' })
    const first = (tx: postgres.TransactionSql) => grantAll(tx, 'anon')
    expect(await attempt(database.sql, truncate, { role: 'anon', first })).toEqual({ rows: 1 })
  })

  test.each([...clients, 'service_role'])('%s gets nothing out of the ledger', async role => {
    const { sql } = database
    const ledger = [await targetOf(sql, 'drizzle.__drizzle_migrations')]
    const tried = await tryAll(sql, ledger, Object.keys(attacks), { role })
    expect(tried.filter(({ outcome }) => !gotNothing(outcome))).toEqual([])
    const asOwner = await tryAll(sql, ledger, Object.keys(attacks))
    expect(asOwner.filter(({ outcome }) => !metRows(outcome))).toEqual([])
  })
})

function grantAll(tx: postgres.TransactionSql, role: string) {
  return tx`grant all on all tables in schema public to ${tx(role)}`
}

async function targetOf(sql: postgres.Sql, relation: string): Promise<Target> {
  const [found] = await sql`
    select (select to_jsonb(t)::text from ${sql(relation)} t limit 1) as row,
           (select relkind from pg_class where oid = ${relation}::text::regclass) in ('r', 'p') as table`
  return { relation, isTable: found?.table, row: found?.row ?? '{}' }
}

/** A call of each function in our schemas, without arguments' values. */
async function callsIn(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`
    select format('select %I.%I(%s)', n.nspname, p.proname,
                  (select string_agg('null::' || format_type(type, null), ', ') from unnest(p.proargtypes) type)) as call
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname in ('public', 'archive')
     order by 1`
  return rows.map(({ call }) => call)
}

/** Every one of these attacks on every target that it is for. */
async function tryAll(
  sql: postgres.Sql,
  targets: Target[],
  names: string[],
  as: Parameters<typeof attempt>[2] = {},
): Promise<{ name: string; relation: string; outcome: Outcome }[]> {
  const tried = []
  for (const target of targets) {
    for (const name of names) {
      const attack = attacks[name]!
      if (attack.isForTables && !target.isTable) continue
      const outcome = await attempt(sql, statementOf(attack, target), as)
      tried.push({ name, relation: target.relation, outcome })
    }
  }
  return tried
}

async function contents(sql: postgres.Sql, targets: Target[]) {
  return await Promise.all(
    targets.map(async ({ relation }) => ({
      relation,
      rows: (await sql`select t::text as row from ${sql(relation)} t order by 1`).map(({ row }) => row),
    })),
  )
}
