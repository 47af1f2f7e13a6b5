import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../support/database.ts'

// That every commit point has the policies and the grants of its catalog.json, whatever a project grants by default, is
// proven in catalog/catalog; that they deny is in the exhaustive security/denial.

const roles = ['anon', 'authenticated']
const actions = ['select', 'insert', 'update', 'delete']

describe.each(['baseline', 'today'])('in the state %s', state => {
  let database: TestDatabase
  let tables: string[]
  beforeAll(async () => {
    database = await createDatabase(state)
    const rows = await database.sql`
      select relname, relrowsecurity, relforcerowsecurity from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
       order by relname collate "C"`
    expect(rows.every(row => row.relrowsecurity && !row.relforcerowsecurity)).toBe(true)
    tables = rows.map(row => row.relname)
    expect(tables.length).toBeGreaterThan(3)
  })
  afterAll(() => database.drop())

  test('every table has the eight policies that let nothing through, named {role}_{action}_{table}, and no other', async () => {
    const found = await database.sql`
      select policyname as name, tablename as table, permissive, array_to_string(roles, ',') as role,
             lower(cmd) as action, qual as reads, with_check as writes
        from pg_policies where schemaname = 'public'`
    const expected = tables.flatMap(table =>
      roles.flatMap(role =>
        actions.map(action => ({
          name: `${role}_${action}_${table}`,
          table,
          permissive: 'PERMISSIVE',
          role,
          action,
          reads: action === 'insert' ? null : 'false',
          writes: action === 'insert' || action === 'update' ? 'false' : null,
        })),
      ),
    )
    const byName = (a: { name?: string }, b: { name?: string }) => (a.name! < b.name! ? -1 : 1)
    expect([...found].sort(byName)).toEqual(expected.sort(byName))
  })

  test('service_role alone has grants on them, beside their owner; on the archive nobody has', async () => {
    const grantees = await database.sql`
      select n.nspname as schema, array_agg(distinct coalesce(nullif(a.grantee, 0)::regrole::text, 'public')) as to
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace,
             aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
       where n.nspname in ('public', 'archive') and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.grantee <> c.relowner
       group by n.nspname`
    expect([...grantees]).toEqual([{ schema: 'public', to: ['service_role'] }])
    expect(
      await database.sql`select from pg_attribute where attacl is not null and attrelid > 16384`,
    ).toEqual([])
  })
})
