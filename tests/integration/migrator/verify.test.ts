import { createHash } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { migrate, packagedMigrations, repair, rollback, status } from '../../../src/migrate.ts'
import { readMigrations } from '../../../src/migrator/files.ts'
import { readCatalog, stateOf } from '../../support/catalog.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { copyOfMigrations, folderOf } from '../../support/folder.ts'
import { baseline, named, names, namesAfter } from '../../support/migrations.ts'

/** What the state `contracted` has yet to come. */
const hardening = namesAfter('rename_catalog_and_drop_user_agents')
const all = { applied: [], already: names.length, beyond: [], probes: [] }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** The package's migrations as a checkout on Windows has them. */
async function withCarriageReturns(): Promise<string> {
  const folder = await copyOfMigrations()
  for (const path of await readdir(folder, { recursive: true })) {
    if (!path.endsWith('.sql')) continue
    const text = await readFile(join(folder, path), 'utf8')
    await writeFile(join(folder, path), text.replaceAll('\n', '\r\n'))
  }
  return folder
}

const future = '29990101000000_from_a_later_version'
const late = '20261122165959_a_late_idea'
const [expand, move] = [named('serve_both_applications'), named('archive_user_agents')]

interface Mistake {
  code: string
  migration: string
  make: (folder: string, database: TestDatabase) => Promise<unknown>
  /** Puts right what is wrong with the database; what is wrong with the files is right in the package's own. */
  mend?: (database: TestDatabase) => Promise<unknown>
}

test.each<Mistake>([
  {
    code: 'EDITED',
    migration: expand,
    make: folder => appendFile(join(folder, expand, 'migration.sql'), '\n-- more'),
  },
  {
    code: 'EDITED',
    migration: `${move}/down.sql`,
    make: folder => writeFile(join(folder, move, 'down.sql'), 'delete from public.memories;'),
  },
  {
    code: 'EDITED',
    migration: `${move}/online.sql`,
    make: folder => rm(join(folder, move, 'online.sql')),
  },
  { code: 'MISSING', migration: move, make: folder => rm(join(folder, move), { recursive: true }) },
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
])('$code names the migration before anything is run or written, up and down', async mistake => {
  const at = await ownDatabase('contracted')
  const folder = await copyOfMigrations()
  await mistake.make(folder, at)
  const before = await stateOf(at)
  expect((await status(at.db)).pending).not.toEqual([])

  const started: string[] = []
  const onStart = (name: string) => void started.push(name)
  const message = expect.stringMatching(new RegExp(`${mistake.migration}.*Nothing was run`, 's'))
  for (const run of [migrate, rollback])
    await expect(run(at.db, { folder, onStart })).rejects.toMatchObject({ code: mistake.code, message })
  expect(started).toEqual([])
  expect(await stateOf(at)).toEqual(before)

  // The control: without the mistake, both run.
  await mistake.mend?.(at)
  expect((await migrate(at.db)).applied).toHaveLength(hardening.length)
  expect((await rollback(at.db)).undone).toHaveLength(1)
})

test('a file that would end its transaction is refused before anything runs, up and down', async () => {
  const at = await ownDatabase('stub_old')
  const made = async () => (await at.admin`select to_regclass('public.made')::text as made`)[0]?.made
  const scripts = (up: string, down: string) =>
    folderOf({
      '20260101000000_begin': { 'migration.sql': 'create table public.made ();', 'down.sql': down },
      '20260102000000_go_on': { 'migration.sql': up, 'down.sql': 'select 1;' },
    })
  const folder = await scripts('select 1; commit;', 'select 1;')
  await expect(migrate(at.db, { folder })).rejects.toMatchObject({ code: 'TRANSACTION_CONTROL' })
  expect(await made()).toBeNull()

  const other = await scripts('select 1;', 'drop table public.made; rollback;')
  await migrate(at.db, { folder: other })
  expect((await rollback(at.db, { folder: other })).undone).toHaveLength(1)
  await expect(rollback(at.db, { folder: other })).rejects.toMatchObject({ code: 'TRANSACTION_CONTROL' })
  await writeFile(join(other, '20260101000000_begin/down.sql'), 'drop table public.made;')
  await writeFile(join(other, '20260101000000_begin/down.check.sql'), 'commit;')
  await repair(at.db, { folder: other })
  await expect(rollback(at.db, { folder: other })).rejects.toMatchObject({
    code: 'TRANSACTION_CONTROL',
    message: expect.stringMatching(
      /begin\/down\.check\.sql, line 1: COMMIT is not allowed.* down\.online\.sql/,
    ),
  })
  expect(await made()).toBe('made')
})

/** Changes the ledger as another migrator would, between the plan of a command and its first transaction. */
async function overtake(
  { admin }: TestDatabase,
  command: (options: { onStart: () => void }) => Promise<unknown>,
  change: (tx: postgres.TransactionSql) => Promise<unknown>,
): Promise<unknown> {
  const { outcome } = await admin.begin(async tx => {
    // The key that every migrator asks for.
    await tx`select pg_advisory_xact_lock(${0x61676462})`
    let outcome: Promise<unknown> = Promise.resolve()
    await new Promise<void>(resolve => {
      outcome = command({ onStart: () => resolve() }).catch(error => error)
    })
    await change(tx)
    return { outcome }
  })
  return await outcome
}

test('the ledger is compared again under the lock: what changed while we waited is seen before we run', async () => {
  const at = await ownDatabase('contracted')
  const before = await readCatalog(at.admin)
  const outcome = await overtake(
    at,
    options => migrate(at.db, options),
    tx => tx`update drizzle.__drizzle_migrations set hash = 'another' where name = ${names[0]!}`,
  )
  expect(outcome).toMatchObject({
    code: 'EDITED',
    message: expect.stringMatching(
      new RegExp(`^${names[0]}/migration\\.sql: .* Nothing of ${hardening[0]} was run\\.$`),
    ),
  })
  expect(await readCatalog(at.admin)).toEqual(before)
})

test('a rollback that another migration overtakes says so, and undoes nothing', async () => {
  const at = await ownDatabase('contracted')
  const before = await readCatalog(at.admin)
  const [next] = readMigrations(packagedMigrations()).filter(({ name }) => name === hardening[0])
  const outcome = await overtake(
    at,
    options => rollback(at.db, options),
    tx => tx`insert into drizzle.__drizzle_migrations (hash, name) values (${next!.hash}, ${next!.name})`,
  )
  expect(outcome).toMatchObject({
    code: 'BUSY',
    message: expect.stringContaining(`${next!.name} was applied meanwhile: roll that back first.`),
  })
  expect(await readCatalog(at.admin)).toEqual(before)
})

test('files with the line endings of Windows are no edit of what was applied without, nor the other way', async () => {
  const windows = await withCarriageReturns()
  const at = await ownDatabase('contracted')
  expect(await repair(at.db, { folder: windows })).toEqual([])
  expect((await migrate(at.db, { folder: windows })).applied).toHaveLength(hardening.length)
  expect(await repair(at.db, { folder: windows, dryRun: true })).toEqual([])
  expect(await repair(at.db, { dryRun: true })).toEqual([])
  expect(await migrate(at.db)).toEqual(all)
  const { undone } = await rollback(at.db, { folder: windows, to: baseline })
  expect(undone).toHaveLength(names.length - 2)

  const fresh = await ownDatabase('stub_old')
  expect((await migrate(fresh.db, { folder: windows })).applied).toHaveLength(names.length)
  // It was recorded as drizzle's own migrator records such files.
  for (const { name, hash } of await fresh.admin`select name, hash from drizzle.__drizzle_migrations`) {
    const file = (folder: string) => readFile(join(folder, name, 'migration.sql'), 'utf8')
    expect(hash).toBe(sha256(await file(windows)))
    expect(hash).not.toBe(sha256(await file(packagedMigrations())))
  }
  expect(await migrate(fresh.db)).toEqual(all)
  expect((await rollback(fresh.db)).undone).toHaveLength(1)
  expect((await migrate(fresh.db)).applied).toHaveLength(1)
})

test('repair tells both hashes, changes nothing but these in the ledger, and migrate runs again', async () => {
  const at = await ownDatabase('contracted')
  const folder = await copyOfMigrations()
  const edited = named(baseline)
  const file = join(folder, edited, 'migration.sql')
  const recorded = sha256(await readFile(file, 'utf8'))
  await appendFile(file, '\n--> statement-breakpoint\ncreate table public.never_made ();')
  const found = { file: `${edited}/migration.sql`, recorded, now: sha256(await readFile(file, 'utf8')) }
  const before = await stateOf(at)

  expect(await repair(at.db, { folder, dryRun: true })).toEqual([found])
  expect(await stateOf(at)).toEqual(before)

  expect(await repair(at.db, { folder })).toEqual([found])
  const ledger = 'drizzle.__drizzle_migrations'
  const accepted = before.rows[ledger]!.map(row => row.replaceAll(recorded, found.now)).sort()
  expect(accepted).not.toEqual(before.rows[ledger])
  expect(await stateOf(at)).toEqual({ ...before, rows: { ...before.rows, [ledger]: accepted } })

  expect(await repair(at.db, { folder })).toEqual([])
  expect((await migrate(at.db, { folder })).applied).toHaveLength(hardening.length)
  expect(await at.admin`select to_regclass('public.never_made') as made`).toEqual([{ made: null }])
  await expect(migrate(at.db)).rejects.toMatchObject({ code: 'EDITED' })
})

test('a ledger whose sequence was not restored with its rows is named, with what helps', async () => {
  const at = await ownDatabase('contracted')
  await at.sql`select setval('drizzle.__drizzle_migrations_id_seq', 1, false)`
  const error = await migrate(at.db).catch(error => error)
  expect(error).toMatchObject({ code: 'STATEMENT_FAILED', sqlState: '23505' })
  const [, cure] = /: (select setval\(.*\))$/m.exec(error.message) ?? []
  await at.sql.unsafe(cure!)
  expect((await migrate(at.db)).applied).toHaveLength(hardening.length)
})
