import type postgres from 'postgres'
import { beforeAll, describe, expect, test } from 'vitest'
import { attempt, gotNothing, metRows, type Outcome, type Verb, verbs } from '../../support/attempt.ts'
import { sharedDatabase } from '../../support/database.ts'
import { populate, relationsIn, topUp } from '../../support/inventory.ts'
import { baseline, commitPoints, hasReached, reach } from '../../support/migrations.ts'
import { sample } from '../../support/sample.ts'
import { connect } from '../../support/templates.ts'

describe.each(['stub_old', 'stub_new'])('in a database with the default grants of %s', template => {
  let sql: postgres.Sql
  const database = sharedDatabase(template, async at => {
    await reach(at.db, commitPoints[0]!)
    await populate(at)
  })
  beforeAll(() => {
    // A prepared "select *" would fail for its columns, which come and go, and not for want of rights.
    sql = connect(database.url, { prepare: false })
    return () => sql.end()
  })

  describe.each(sample(`denial ${template}`, commitPoints, 3))('$way to $at', point => {
    let all: string[]
    let open: string[]
    let tables: string[]
    beforeAll(async () => {
      await reach(database.db, point)
      await topUp(database, point)
      ;({ all, open, tables } = await relationsIn(database))
    })

    test('the owner meets rows with every verb on every table', async () => {
      const tried = await tryAll(sql, all, verbs)
      expect(tried.filter(({ outcome }) => !metRows(outcome))).toEqual([])
    })

    test.each(['anon', 'authenticated'])('%s gets nothing with any verb on any table', async role => {
      const before = await contents(sql, all)
      const tried = await tryAll(sql, all, verbs, role)
      expect(tried.filter(({ outcome }) => !gotNothing(outcome))).toEqual([])
      expect(await contents(sql, all)).toEqual(before)
    })

    test.each(['anon', 'authenticated'])(
      'row level security denies %s what a grant would allow',
      async role => {
        const granted = await tryAll(sql, open, withoutTruncate, role, tx => grantAll(tx, role))
        expect(granted.filter(({ outcome }) => !gotNothing(outcome))).toEqual([])

        const bare = await tryAll(sql, open, withoutTruncate, role, async tx => {
          // First: a grant holds the tables as a reader does (PostgreSQL 18), and two such would wait for each other.
          for (const table of tables) await tx`alter table ${tx(table)} disable row level security`
          await grantAll(tx, role)
        })
        expect(bare.filter(({ outcome }) => !metRows(outcome))).toEqual([])
      },
    )

    const secured = hasReached(point, baseline)
    test(`service_role ${secured ? 'reads and writes every table in public' : 'has no rights yet'}`, async () => {
      const tried = await tryAll(sql, open, withoutTruncate, 'service_role')
      const denied = tried.filter(({ outcome }) => 'sqlState' in outcome && outcome.sqlState === '42501')
      expect(tried.filter(({ outcome }) => !metRows(outcome))).toEqual(denied)
      expect(denied).toHaveLength(secured ? 0 : tried.length)
    })
  })
})

describe('at the baseline', () => {
  const database = sharedDatabase('baseline', populate)

  test('row level security does not stop truncate, which is why the grants must', async () => {
    const attempted = { verb: 'truncate', relation: 'public.profiles', row: '', role: 'anon' } as const
    expect(await attempt(database.sql, attempted)).toEqual({ sqlState: '42501' })
    const granted = { ...attempted, first: (tx: postgres.TransactionSql) => grantAll(tx, 'anon') }
    expect(await attempt(database.sql, granted)).toEqual({ rows: 1 })
  })

  test.each(['anon', 'authenticated', 'service_role'])('%s gets nothing out of the ledger', async role => {
    const ledger = ['drizzle.__drizzle_migrations']
    const tried = await tryAll(database.sql, ledger, verbs, role)
    expect(tried.filter(({ outcome }) => !gotNothing(outcome))).toEqual([])
    const asOwner = await tryAll(database.sql, ledger, verbs)
    expect(asOwner.filter(({ outcome }) => !metRows(outcome))).toEqual([])
  })
})

const withoutTruncate = verbs.filter(verb => verb !== 'truncate')

function grantAll(tx: postgres.TransactionSql, role: string) {
  return tx`grant all on all tables in schema public to ${tx(role)}`
}

/** Every verb on every relation, but none that PostgreSQL does not know: a view is not truncated. */
async function tryAll(
  sql: postgres.Sql,
  relations: string[],
  wanted: Verb[],
  role?: string,
  first?: (tx: postgres.TransactionSql) => Promise<unknown>,
): Promise<{ verb: Verb; relation: string; outcome: Outcome }[]> {
  const tried = []
  for (const relation of relations) {
    const [found] = await sql`
      select to_jsonb(t)::text as row,
             (select relkind from pg_class where oid = ${relation}::text::regclass) as kind
        from ${sql(relation)} t
       limit 1`
    for (const verb of wanted) {
      if (verb === 'truncate' && found?.kind === 'v') continue
      const as = { ...(role && { role }), ...(first && { first }) }
      tried.push({ verb, relation, outcome: await attempt(sql, { verb, relation, row: found?.row, ...as }) })
    }
  }
  return tried
}

async function contents(sql: postgres.Sql, relations: string[]) {
  return await Promise.all(
    relations.map(async relation => ({
      relation,
      rows: (await sql`select t::text as row from ${sql(relation)} t order by 1`).map(({ row }) => row),
    })),
  )
}
