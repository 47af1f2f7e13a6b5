import { createHash } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrate, packagedMigrations, repair, rollback, status } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { copyOfMigrations, folderOf } from '../../support/folder.ts'
import { names, namesAfter } from '../../support/migrations.ts'
import { readLedger, readRows } from '../../support/rows.ts'

/** What the state `contracted` has yet to come. */
const hardening = namesAfter('rename_the_catalog_and_drop_user_agents')
const named = (fragment: string): string => names.find(name => name.endsWith(fragment))!

/** As a checkout on Windows has them. */
async function withCarriageReturns(folder: string): Promise<string> {
  for (const path of await readdir(folder, { recursive: true })) {
    if (!path.endsWith('.sql')) continue
    const text = await readFile(join(folder, path), 'utf8')
    await writeFile(join(folder, path), text.replaceAll('\n', '\r\n'))
  }
  return folder
}

async function everythingOf({ admin }: TestDatabase) {
  return {
    catalog: await readCatalog(admin),
    ledger: await readLedger(admin),
    rows: await readRows(admin, ['public', 'auth', 'archive', 'drizzle']),
  }
}

interface Mistake {
  code: string
  migration: string
  make: (folder: string, database: TestDatabase) => Promise<unknown>
  /** Puts right what is wrong with the database; what is wrong with the files is right in the package's own. */
  mend?: (database: TestDatabase) => Promise<unknown>
}

const future = '29990101000000_from_a_later_version'
const late = '20261122165959_a_late_idea'

const mistakes: Mistake[] = [
  {
    code: 'EDITED',
    migration: named('_serve_both_applications'),
    make: folder => appendFile(join(folder, named('_serve_both_applications'), 'migration.sql'), '\n-- more'),
  },
  {
    code: 'MISSING',
    migration: named('_archive_what_users_own'),
    make: folder => rm(join(folder, named('_archive_what_users_own')), { recursive: true }),
  },
  {
    code: 'UNKNOWN',
    migration: future,
    make: (_, { admin }) =>
      admin`insert into drizzle.__drizzle_migrations (hash, created_at, name) values ('0', 0, ${future})`,
    mend: ({ admin }) => admin`delete from drizzle.__drizzle_migrations where name = ${future}`,
  },
  {
    code: 'OUT_OF_ORDER',
    migration: late,
    make: async folder => {
      await mkdir(join(folder, late))
      await writeFile(join(folder, late, 'migration.sql'), 'create table public.late_idea ();')
    },
  },
]

test.each(mistakes)(
  '$code names the migration before anything is run or written, up and down',
  async ({ code, migration, make, mend }) => {
    const at = await ownDatabase('contracted')
    const folder = await copyOfMigrations()
    await make(folder, at)
    const before = await everythingOf(at)
    expect((await status(at.db)).pending).not.toEqual([])

    const steps: string[] = []
    const refusal = { code, message: expect.stringMatching(new RegExp(`${migration}.*Nothing was run`, 's')) }
    const onStart = (name: string) => void steps.push(name)
    await expect(migrate(at.db, { folder, onStart })).rejects.toMatchObject(refusal)
    await expect(rollback(at.db, { folder, onStart })).rejects.toMatchObject(refusal)
    expect(steps).toEqual([])
    expect(await everythingOf(at)).toEqual(before)

    // The control: without the mistake, both run.
    await mend?.(at)
    expect((await migrate(at.db)).applied).toHaveLength(hardening.length)
    expect((await rollback(at.db)).undone).toHaveLength(1)
  },
)

test('a file that would end its transaction is refused before anything runs, up and down', async () => {
  const at = await ownDatabase('stub_old')
  const [first, second] = ['20260101000000_begin', '20260102000000_go_on']
  const scripts = (up: string, down: string) =>
    folderOf({
      [first]: { 'migration.sql': 'create table public.made ();', 'down.sql': down },
      [second]: { 'migration.sql': up, 'down.sql': 'select 1;' },
    })
  const folder = await scripts('select 1; commit;', 'select 1;')
  await expect(migrate(at.db, { folder })).rejects.toMatchObject({ code: 'TRANSACTION_CONTROL' })
  expect(await at.admin`select to_regclass('public.made') as made`).toEqual([{ made: null }])

  const other = await scripts('select 1;', 'drop table public.made; rollback;')
  await migrate(at.db, { folder: other })
  expect((await rollback(at.db, { folder: other })).undone).toHaveLength(1)
  await expect(rollback(at.db, { folder: other })).rejects.toMatchObject({ code: 'TRANSACTION_CONTROL' })
  expect(await at.admin`select to_regclass('public.made')::text as made`).toEqual([{ made: 'made' }])
})

test('the ledger is compared again under the lock: what changed while we waited is seen before we run', async () => {
  const at = await ownDatabase('contracted')
  const before = await readCatalog(at.admin)
  const outcome = await at.admin.begin(async tx => {
    // The key that every migrator asks for.
    await tx`select pg_advisory_xact_lock(${0x61676462})`
    let migrating: Promise<unknown> = Promise.resolve()
    await new Promise<void>(resolve => {
      migrating = migrate(at.db, { onStart: () => resolve() }).catch(error => error)
    })
    await tx`update drizzle.__drizzle_migrations set hash = 'another' where name = ${names[0]!}`
    return { migrating }
  })
  expect(await outcome.migrating).toMatchObject({
    code: 'EDITED',
    message: expect.stringMatching(new RegExp(`^${names[0]}: .* Nothing of ${hardening[0]} was run\\.$`)),
  })
  expect(await readCatalog(at.admin)).toEqual(before)
})

test('files with the line endings of Windows are no edit of what was applied without, nor the other way', async () => {
  const windows = await withCarriageReturns(await copyOfMigrations())
  const at = await ownDatabase('contracted')
  expect(await repair(at.db, { folder: windows })).toEqual([])
  expect((await migrate(at.db, { folder: windows })).applied).toHaveLength(hardening.length)
  expect(await repair(at.db, { folder: windows, dryRun: true })).toEqual([])
  expect(await repair(at.db, { dryRun: true })).toEqual([])
  expect(await migrate(at.db)).toEqual({ applied: [], already: names.length, beyond: [], probes: [] })
  expect((await rollback(at.db, { folder: windows, to: 'secure_the_agent_tables' })).undone).toHaveLength(
    names.length - 2,
  )

  const fresh = await ownDatabase('stub_old')
  expect((await migrate(fresh.db, { folder: windows })).applied).toHaveLength(names.length)
  const hashes = await fresh.admin`select hash from drizzle.__drizzle_migrations order by name`
  const packaged = await Promise.all(
    names.map(async name =>
      sha256(await readFile(join(packagedMigrations(), name, 'migration.sql'), 'utf8')),
    ),
  )
  // It was recorded as drizzle's own migrator records such files.
  for (const [i, { hash }] of hashes.entries()) expect(hash).not.toBe(packaged[i])
  expect(await migrate(fresh.db)).toEqual({ applied: [], already: names.length, beyond: [], probes: [] })
  expect((await rollback(fresh.db)).undone).toHaveLength(1)
  expect((await migrate(fresh.db)).applied).toHaveLength(1)
})

test('repair tells both hashes, changes nothing but these in the ledger, and migrate runs again', async () => {
  const at = await ownDatabase('contracted')
  const folder = await copyOfMigrations()
  const edited = named('_secure_the_agent_tables')
  const file = join(folder, edited, 'migration.sql')
  const recorded = sha256(await readFile(file, 'utf8'))
  await appendFile(file, '\n--> statement-breakpoint\ncreate table public.never_made ();')
  const found = [{ name: edited, recorded, file: sha256(await readFile(file, 'utf8')) }]
  const before = await everythingOf(at)

  expect(await repair(at.db, { folder, dryRun: true })).toEqual(found)
  expect(await everythingOf(at)).toEqual(before)

  expect(await repair(at.db, { folder })).toEqual(found)
  const after = await everythingOf(at)
  const accept = (row: string) => row.replaceAll(recorded, found[0]!.file)
  expect(after.ledger).not.toEqual(before.ledger)
  expect(after).toEqual({
    catalog: before.catalog,
    ledger: before.ledger.map(accept),
    rows: {
      ...before.rows,
      'drizzle.__drizzle_migrations': before.rows['drizzle.__drizzle_migrations']!.map(accept).sort(),
    },
  })

  expect(await repair(at.db, { folder })).toEqual([])
  expect((await migrate(at.db, { folder })).applied).toHaveLength(hardening.length)
  expect(await at.admin`select to_regclass('public.never_made') as made`).toEqual([{ made: null }])
  await expect(migrate(at.db)).rejects.toMatchObject({ code: 'EDITED' })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
