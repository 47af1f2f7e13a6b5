import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase } from '../../support/database.ts'
import { last } from '../../support/migrations.ts'
import { addAgentOfNewType, fill, readLedger, readRows } from '../../support/rows.ts'

let database: TestDatabase
let env: { DATABASE_URL: string }

const everything = async () => ({
  catalog: await readCatalog(database.admin),
  rows: await readRows(database.admin, ['public', 'auth', 'archive']),
  ledger: await readLedger(database.admin),
})

beforeAll(async () => {
  database = await createDatabase('baseline')
  env = { DATABASE_URL: database.url }
})
afterAll(() => database.drop())

test('before anything is archived it says that nothing is kept, and drop has nothing to ask', async () => {
  for (const args of [['archive'], ['archive', 'drop']]) {
    const { code, stdout } = await runCli(args, { env })
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('nothing is kept for rollback\n'),
    })
  }
})

describe('while both applications work', () => {
  beforeAll(async () => {
    await fill(database.admin, { users: 60, memories: 200 })
    await migrate(database.db, { to: 'archive_what_users_own' })
  })

  test('drop is refused with SQLSTATE 55000, whoever confirms it, and drops nothing', async () => {
    const before = await everything()
    const { code, stdout, stderr } = await runCli(['archive', 'drop', '--yes', '--json'], { env })
    expect(code).toBe(1)
    expect(JSON.parse(stdout).error.message).toContain('55000')
    expect(stderr).not.toContain('    at ')
    expect(await everything()).toEqual(before)
  })
})

describe('after the last migration', () => {
  beforeAll(async () => {
    await migrate(database.db)
  })

  test('says which tables are kept, with how many rows, how large, and since when', async () => {
    const rows = await readRows(database.admin, ['archive'])
    const { code, stdout } = await runCli(['archive'], { env })
    expect(code).toBe(0)
    const [row] = await database.admin`
      select applied_at::text as at from drizzle.__drizzle_migrations where name like '%archive_what_users_own'`
    expect(stdout).toContain(`kept since ${row?.at}`)
    expect(Object.keys(rows)).toEqual(
      expect.arrayContaining(['archive.user_agents', 'archive.memory_agents', 'archive.profiles']),
    )
    for (const [table, found] of Object.entries(rows)) {
      expect(stdout).toMatch(new RegExp(`^${table}\\s+${found.length}\\s+\\d+ kB$`, 'm'))
    }

    const json = JSON.parse((await runCli(['archive', '--json'], { env })).stdout)
    expect(json.since).toBe(row?.at)
    expect(json.tables.map(({ name, rows }: { name: string; rows: number }) => [name, rows])).toEqual(
      Object.entries(rows)
        .map(([table, found]) => [table, found.length])
        .sort(),
    )
    for (const { bytes } of json.tables) expect(bytes).toBeGreaterThan(0)
  })

  test('drop without --yes and a terminal exits 2 and drops nothing', async () => {
    const before = await everything()
    const { code, stderr } = await runCli(['archive', 'drop'], { env })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--yes') })
    expect(await everything()).toEqual(before)
  })

  test('drop --yes drops the rows, and nothing of what users own', async () => {
    const before = await everything()
    const { code, stdout } = await runCli(['archive', 'drop', '--yes', '--json'], { env })
    expect(code).toBe(0)
    const names = JSON.parse(stdout).dropped.tables.map(({ name }: { name: string }) => name)
    expect(names).toContain('archive.user_agents')
    const after = await everything()
    expect(
      Object.entries(after.rows).filter(([table, rows]) => table.startsWith('archive.') && rows.length > 0),
    ).toEqual([])
    expect(after.rows).not.toHaveProperty(['archive.user_agents'])
    expect(after.ledger).toEqual(before.ledger)
    for (const [table, rows] of Object.entries(before.rows)) {
      if (!table.startsWith('archive.')) expect(after.rows[table]).toEqual(rows)
    }
  })

  test('then a rollback past the drop exits 1 with nothing undone', async () => {
    const before = await everything()
    const { code, stdout, stderr } = await runCli(['rollback', '--to', 'secure_the_agent_tables', '--json'], {
      env,
    })
    expect(code).toBe(1)
    expect(JSON.parse(stdout).error.message).toMatch(/archive\.user_agents.*are gone/s)
    expect(stderr).not.toContain('undoing')
    expect(await everything()).toEqual(before)
  })

  test('but the last migration can be undone, and done again', async () => {
    const before = await readCatalog(database.admin)
    const undone = await runCli(['rollback', '--json'], { env })
    expect(undone.code).toBe(0)
    expect(JSON.parse(undone.stdout).undone).toEqual([expect.objectContaining({ name: last })])
    expect((await runCli(['migrate'], { env })).code).toBe(0)
    expect(await readCatalog(database.admin)).toEqual(before)
  })
})

test('agents that the next migration restores are told apart from what is kept, and not dropped', async () => {
  const own = await ownDatabase('today')
  await addAgentOfNewType(own.admin)
  await rollback(own.db, { to: 'secure_the_agent_tables' })
  const { code, stdout, stderr } = await runCli(['archive', 'drop', '--yes'], {
    env: { DATABASE_URL: own.url },
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /^nothing is kept for rollback\nthese rows are restored by the next `migrate`\ntable .*\narchive\.system_agents +1 .*\nnothing to drop\n$/,
  )
  expect(await own.admin`select agent_type from archive.system_agents`).toEqual([{ agent_type: 'PLANNING' }])
})
