import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { populate, relationsAt } from '../../support/inventory.ts'
import { commitPoints, hasReached, reach } from '../../support/migrations.ts'

const roles = ['anon', 'authenticated']
const actions = ['select', 'insert', 'update', 'delete']

describe('at every commit point', () => {
  const databases: TestDatabase[] = []

  beforeAll(async () => {
    for (const template of ['standin_old', 'standin_new']) {
      const database = await createDatabase(template)
      databases.push(database)
      await reach(database.db, commitPoints[0]!)
      await populate(database)
    }
  })
  afterAll(() => Promise.all(databases.map(database => database.drop())))

  describe.each(commitPoints)('$way to $at', point => {
    const { tables, views, archived } = relationsAt(point)
    const renamed = hasReached(point, 'secure_system_agents')

    beforeAll(async () => {
      for (const { db } of databases) await reach(db, point)
    })

    test('every table in public has row level security on', async () => {
      for (const database of databases) {
        const found = await rowSecurity(database)
        expect(found).toEqual(tables.map(name => ({ name, on: true, forced: false })))
      }
    })

    test('every table in public has the eight policies that let nothing through, and no other', async () => {
      for (const database of databases) {
        expect(await policies(database)).toEqual(expectedPolicies(tables, renamed))
      }
    })

    test('the grants are all to service_role, none to clients, whatever the defaults of the project', async () => {
      const [old, recent] = await Promise.all(databases.map(grants))
      expect(old).toEqual(recent)
      const secured = hasReached(point, 'secure_the_agent_tables')
      expect(granteesOf(old!)).toEqual(
        Object.fromEntries([
          ...[...tables, ...views].map(name => [name, secured ? ['owner', 'service_role'] : ['owner']]),
          ...archived.map(name => [name, ['owner']]),
          ...(archived.length > 0 ? [['archive', ['owner']]] : []),
        ]),
      )
    })
  })
})

describe.each(['baseline', 'today'])('in the state %s', state => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createDatabase(state)
  })
  afterAll(() => database.drop())

  test('each policy is called after its role, its action and its table', async () => {
    const found = await policies(database)
    expect(found.length).toBeGreaterThan(0)
    for (const { table, role, action, name } of found) expect(name).toBe(`${role}_${action}_${table}`)
  })
})

interface Policy {
  table: string
  role: string
  action: string
  name: string
  permissive: string
  reads: string | null
  writes: string | null
}

function expectedPolicies(tables: string[], renamed: boolean): Policy[] {
  return tables
    .map(table => table.slice('public.'.length))
    .flatMap(table =>
      roles.flatMap(role =>
        actions.map(action => ({
          table,
          role,
          action,
          // The rename leaves the policies their names; the step after it gives them the new ones.
          name: `${role}_${action}_${table === 'system_agents' && !renamed ? 'user_agent_catalog' : table}`,
          permissive: 'PERMISSIVE',
          reads: action === 'insert' ? null : 'false',
          writes: action === 'insert' || action === 'update' ? 'false' : null,
        })),
      ),
    )
}

async function policies({ sql }: TestDatabase): Promise<Policy[]> {
  return [
    ...(await sql<Policy[]>`
      select tablename as table, array_to_string(roles, ',') as role, lower(cmd) as action,
             policyname as name, permissive, qual as reads, with_check as writes
        from pg_policies
       where schemaname = 'public'
       order by tablename collate "C",
                array_position(${roles}::text[], array_to_string(roles, ',')),
                array_position(${actions}::text[], lower(cmd))`),
  ]
}

async function rowSecurity({ sql }: TestDatabase) {
  return [
    ...(await sql`
      select relnamespace::regnamespace || '.' || relname as name,
             relrowsecurity as on, relforcerowsecurity as forced
        from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
       order by relname collate "C"`),
  ]
}

interface Grant {
  object: string
  grantee: string
  privileges: string[]
}

/** Who may do what with each of our tables, views and columns, and with the archive's schema. */
async function grants({ sql }: TestDatabase): Promise<Grant[]> {
  const rows = await sql<Grant[]>`
    select object,
           case grantee when owner then 'owner' when 0 then 'public' else grantee::regrole::text end as grantee,
           array_agg(privilege_type || case when is_grantable then '*' else '' end
                     order by privilege_type) as privileges
      from (
        select relnamespace::regnamespace || '.' || relname, relowner,
               coalesce(relacl, acldefault('r', relowner))
          from pg_class
         where relnamespace in (select oid from pg_namespace where nspname in ('public', 'archive'))
           and relkind in ('r', 'p', 'v', 'm', 'f')
        union all
        select attrelid::regclass || '.' || attname, 0, attacl
          from pg_attribute
          join pg_class c on c.oid = attrelid
         where relnamespace in (select oid from pg_namespace where nspname in ('public', 'archive'))
        union all
        select nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
          from pg_namespace
         where nspname = 'archive'
      ) o (object, owner, acl),
      aclexplode(acl)
     group by object, owner, grantee
     order by object, grantee`
  return [...rows]
}

function granteesOf(found: Grant[]): Record<string, string[]> {
  const grantees: Record<string, string[]> = {}
  for (const { object, grantee } of found) {
    grantees[object] = [...(grantees[object] ?? []), grantee].sort()
  }
  return grantees
}
