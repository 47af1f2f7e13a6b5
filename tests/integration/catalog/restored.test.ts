import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import { readCatalog } from '../../../src/catalog/read.ts'
import type { Database } from '../../../src/database.ts'
import { adopt, check, hasDrift, migrate } from '../../../src/migrate.ts'
import { query } from '../../../src/query.ts'
import { ownDatabase, sharedDatabase, undone } from '../../support/database.ts'
import { baseline, named } from '../../support/migrations.ts'
import { checksIn, restore } from '../../support/restore.ts'

const database = sharedDatabase('stub_old')

test('a database that Alembic built is adopted after a dump and restore as before it, and migrated', async () => {
  const built = await ownDatabase('built')
  const copy = await restore(built)
  expect(await checksIn(copy)).not.toEqual(await checksIn(built))
  const adopted = await adopt(copy.db)
  expect(adopted).toMatchObject({ at: named(baseline), recorded: { length: 2 } })
  expect(adopted).toEqual(await adopt(built.db))
  await migrate(copy.db)
  expect(hasDrift(await check(copy.db))).toBe(false)

  const miss = await restore(await ownDatabase('built'))
  await miss.admin`
    alter table public.user_agents drop constraint chk_agent_type,
      add constraint chk_agent_type check (agent_type in ('INTENT_RECOGNITION', 'TASK_EXECUTION'))`
  await expect(adopt(miss.db)).rejects.toMatchObject({ message: expect.stringContaining('chk_agent_type') })
})

const columns = `
  id int, b bigint, n numeric(6, 2), v varchar(20), v2 varchar, t text, c char(5), code code, mood mood, yes bool,
  ta text[], va varchar[], at timestamptz, day date, settings jsonb`

/** Conditions that PostgreSQL prints otherwise once it has read what it printed. */
const changing = [
  `v in ('a', 'b')`,
  `v not in ('a', 'b')`,
  `code in ('a', 'b')`,
  `v in ('a', null)`,
  `v in ('it''s, ]) x', 'b"c', 'a[b', '(', '::text[]')`,
  `v in ('a', coalesce(v2, 'x'), 'b', t)`,
  `v in ('a AND b', 'c OR (d') and (v2 in ('x', 'y') or yes)`,
  `v = any (array['a', 'b']::varchar(20)[])`,
  `ta = array[array['a', 'b'], array[v, v2]]::varchar[]::text[]`,
  `(array['a', 'b']::varchar[])[1] in ('a', 'b')`,
  `case when v in ('a', 'b') then array['x']::varchar[] else va end = va`,
  `id in (1, b, n)`,
  `id between 1 and 2 and b > 1`,
  `id between 1 and 2 and b between 1 and 2 and yes`,
  `id not between 1 and 2 or b > 1 or yes`,
  `(id, b) <> (1, 2) or yes`,
  `not (id between 1 and 2 and yes) and (id in (1, b, n) or yes)`,
]
const staying = [
  `n = any (array[1, id]::numeric(4, 1)[])`,
  `t in ('a', 'b')`,
  `c in ('a', 'b')`,
  `mood in ('sad', 'ok')`,
  `b in (-1, 20000000000)`,
  `v = any (array['a', 'b'])`,
  `v = any ('{a,b}')`,
  `va <@ array['a', 'b']::varchar[]`,
  `b > 1 and id between 1 and 2`,
  `(id = 1 or b = 2) and yes`,
  `id = 1 or (b = 2 or yes)`,
  `(v, t) in (('a', 'b'), ('c', 'd'))`,
  `v like 'a%' and lower(v) <> 'and' and v || 'x' ~ '[a-z](x)'`,
  `jsonb_typeof(settings -> 'a') in ('object', 'array')`,
  `extract(year from at at time zone 'UTC') > 2000 and day > '2020-01-01'`,
  `v::int > - 1.5 and n::numeric(4, 1) = 1.5 and ta[1:2] = array['a']`,
]

/** The objects that use the condition, as PostgreSQL prints them. */
async function printed(tx: Database) {
  const [row] = await query<Record<'check' | 'policy' | 'index' | 'view', string>>(
    tx,
    sql`select pg_get_constraintdef(c.oid) as "check", pg_get_expr(p.polqual, p.polrelid) as policy,
               pg_get_indexdef('x.i'::regclass) as index, pg_get_viewdef('x.w'::regclass) as view
          from pg_constraint c, pg_policy p
         where c.conrelid = 'x.t'::regclass and p.polrelid = 'x.t'::regclass`,
  )
  return row!
}

test.for([
  ...changing.map(condition => ({ condition, changes: true })),
  ...staying.map(condition => ({ condition, changes: false })),
])('$condition reads the same before and after', async ({ condition, changes }) => {
  const scope = { schemas: ['x'], externalTables: [], clientRoles: [] }
  await undone(drizzle({ client: database.admin }), async tx => {
    const run = (statements: string) => tx.execute(sql.raw(statements))
    await run(`
      create schema x; set local search_path = x;
      create domain code varchar(10); create type mood as enum ('sad', 'ok');
      create table t (${columns});
      alter table t add constraint k check (${condition});
      create policy p on t using (${condition});
      create index i on t (id) where ${condition};
      create view w as select id from t where ${condition};
      set local search_path = ''`)
    const [facts, before] = [await readCatalog(tx, scope), await printed(tx)]
    await run(`
      alter table x.t drop constraint k, add constraint k ${before.check};
      drop policy p on x.t; create policy p on x.t using (${before.policy});
      drop index x.i; ${before.index};
      drop view x.w; create view x.w as ${before.view}`)
    expect((await printed(tx)).check !== before.check).toBe(changes)
    expect(await readCatalog(tx, scope)).toEqual(facts)
  })
})
