import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { readCatalog } from '../../../src/catalog/read.ts'
import { project } from '../../../src/platform/project.ts'
import { ownDatabase, undone } from '../../support/database.ts'
import { root } from '../../support/root.ts'

const folder = join(root, 'src/schema/sql')
const files = readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8'))
const { scope } = project()

test('src/schema/sql holds the functions, triggers and grants that the migrations leave: no more, no less, and again without a change', async () => {
  const { db } = await ownDatabase('today')
  const asMigrated = await readCatalog(db, scope)
  await undone(db, async tx => {
    await tx.execute(sql`
      do $$
      declare
        name text;
      begin
        for name in select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace loop
          execute format('drop function %s cascade', name);
        end loop;
        for name in select oid::regclass from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') loop
          execute format('revoke all on %s from public, anon, authenticated, service_role', name);
        end loop;
      end $$`)
    expect(await readCatalog(tx, scope)).not.toEqual(asMigrated)
    for (const time of ['first', 'second']) {
      for (const text of files) await tx.execute(sql.raw(text))
      expect({ time, catalog: await readCatalog(tx, scope) }).toEqual({ time, catalog: asMigrated })
    }
  })
})
