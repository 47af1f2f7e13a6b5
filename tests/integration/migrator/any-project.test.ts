import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, inject, test } from 'vitest'
import { check } from '../../../src/catalog/check.ts'
import { formatCatalog } from '../../../src/catalog/files.ts'
import type { CatalogProject } from '../../../src/catalog/project.ts'
import { readCatalog } from '../../../src/catalog/read.ts'
import { migrate } from '../../../src/migrator/migrate.ts'
import { rollback } from '../../../src/migrator/rollback.ts'
import { status } from '../../../src/migrator/status.ts'
import { ownDatabase } from '../../support/database.ts'
import { folderOf } from '../../support/folder.ts'
import { createTemplate } from '../../support/templates.ts'

const [open, index] = ['20250101000000_open_the_shop', '20250102000000_index_the_orders']

test("the engine migrates, checks and rolls back anybody's folder: no Supabase, another schema, another ledger", async () => {
  const project: CatalogProject = {
    folder: await folderOf({
      [open]: {
        'migration.sql': `create schema shop;
--> statement-breakpoint
create table shop.orders (id bigint primary key, customer text not null);`,
        'down.sql': 'drop schema shop cascade;',
      },
      [index]: {
        'online.sql': 'create index concurrently if not exists ix_orders_customer on shop.orders (customer);',
        'migration.sql': 'create index if not exists ix_orders_customer on shop.orders (customer);',
        'down.sql': 'drop index shop.ix_orders_customer;',
      },
    }),
    ledger: { schema: 'history', table: 'applied' },
    scope: { schemas: ['shop'], externalTables: [], clientRoles: [] },
  }
  await createTemplate(inject('run'), 'plain', 'template0', async () => {})
  const { admin } = await ownDatabase('plain')
  const db = drizzle({ client: admin })
  const recorded = () => admin`select name from history.applied order by id`
  const catalog = () => readCatalog(db, project.scope)

  for (const name of [open, index]) {
    await migrate(db, project, { to: name })
    await writeFile(join(project.folder, name, 'catalog.json'), formatCatalog(await catalog()))
  }
  expect(await recorded()).toEqual([{ name: open }, { name: index }])
  expect(await status(db, project)).toMatchObject({ pending: [] })
  expect(await catalog()).toMatchObject({ 'table shop.orders': { 'column customer': expect.any(String) } })

  expect(await check(db, project)).toMatchObject({ at: index, differences: [], ledger: [], probes: [] })
  await admin`alter table shop.orders alter customer drop not null`
  expect(await check(db, project)).toMatchObject({
    differences: [{ object: 'table shop.orders', fact: 'column customer' }],
  })

  expect(await rollback(db, project)).toMatchObject({ undone: [{ name: index }] })
  expect(await recorded()).toEqual([{ name: open }])
  await rollback(db, project)
  expect(
    await admin`select nspname from pg_namespace where nspname in ('shop', 'drizzle', 'auth', 'archive')`,
  ).toEqual([])
})
