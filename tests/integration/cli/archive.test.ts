import { beforeAll, describe, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog, stateOf } from '../../support/catalog.ts'
import { cli, cliJson, runCli } from '../../support/cli.ts'
import { ownDatabase, sharedDatabase } from '../../support/database.ts'
import { baseline, last } from '../../support/migrations.ts'
import { addAgentOfNewType, fill, readRows } from '../../support/rows.ts'

const database = sharedDatabase('baseline')

test('before anything is archived it says that nothing is kept, and drop has nothing to ask', async () => {
  for (const args of [['archive'], ['archive', 'drop']]) {
    expect(await cli(database.url, ...args)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing is kept for rollback\n'),
    })
  }
})

test('while both applications work, drop is refused with SQLSTATE 55000, and drops nothing', async () => {
  await fill(database.admin, { users: 60, memories: 200 })
  await migrate(database.db, { to: 'add_agent_prompts' })
  const before = await stateOf(database)
  const { code, document, stderr } = await cliJson(database.url, 'archive', 'drop', '--yes')
  expect(code).toBe(1)
  expect(document.error.message).toContain('55000')
  expect(stderr).not.toContain('    at ')
  expect(await stateOf(database)).toEqual(before)
})

describe('after the last migration', () => {
  beforeAll(() => migrate(database.db))

  test('it says which tables are kept, with how many rows, how large, and since when', async () => {
    const rows = Object.entries(await readRows(database.admin, ['archive']))
    const { code, stdout } = await cli(database.url, 'archive')
    expect(code).toBe(0)
    const [row] = await database.admin`
      select to_jsonb(applied_at) #>> '{}' as at from drizzle.__drizzle_migrations where name like '%archive_user_agents'`
    expect(stdout).toContain(`kept since ${row?.at}`)
    expect(rows.map(([table]) => table)).toContain('archive.user_agents')
    for (const [table, found] of rows)
      expect(stdout).toMatch(new RegExp(`^${table}\\s+${found.length}\\s+\\d+ kB$`, 'm'))

    const { document } = await cliJson(database.url, 'archive')
    expect(document.since).toBe(row?.at)
    const counts = document.tables.map(({ name, rows }: { name: string; rows: number }) => [name, rows])
    expect(counts).toEqual(rows.map(([table, found]) => [table, found.length]).sort())
    for (const { bytes } of document.tables) expect(bytes).toBeGreaterThan(0)
  })

  test('drop without --yes and a terminal exits 2; n on a terminal exits 1; neither drops anything', async () => {
    const before = await stateOf(database)
    expect(await cli(database.url, 'archive', 'drop')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    })
    const env = { DATABASE_URL: database.url }
    const declined = await runCli(['archive', 'drop'], { env, typed: 'n\n' })
    expect(declined).toMatchObject({ code: 1, stderr: expect.stringContaining('Drop the archive?') })
    expect(await stateOf(database)).toEqual(before)
  })

  test('y on a terminal drops the rows, and nothing of what users own', async () => {
    const before = await stateOf(database)
    const env = { DATABASE_URL: database.url }
    const { code, stdout } = await runCli(['archive', 'drop', '--json'], { env, typed: 'y\n' })
    expect(code).toBe(0)
    const { dropped } = JSON.parse(stdout)
    expect(dropped.kept).toBe(true)
    expect(dropped.tables.map(({ name }: { name: string }) => name)).toContain('archive.user_agents')
    const after = await stateOf(database)
    const archived = Object.entries(after.rows).filter(([table]) => table.startsWith('archive.'))
    expect(archived.filter(([, rows]) => rows.length > 0).map(([table]) => table)).toEqual([
      'archive.profile_settings',
    ])
    // Of what is no settings at all, the archive has the only copy.
    const [lost] = await database.admin`
      select count(*)::int as kept, count(*) filter (where jsonb_typeof(settings -> 'agent_prompts') = 'object')::int as own
        from archive.profile_settings`
    expect(lost).toEqual({ kept: expect.any(Number), own: 0 })
    expect(after.rows).toMatchObject(
      Object.fromEntries(Object.entries(before.rows).filter(([table]) => !table.startsWith('archive.'))),
    )
  })

  test('then a rollback past the drop exits 1 with nothing undone', async () => {
    const before = await stateOf(database)
    const { code, document, stderr } = await cliJson(database.url, 'rollback', '--to', baseline)
    expect(code).toBe(1)
    expect(document.error.message).toMatch(/archive\.user_agents.*are missing/s)
    expect(stderr).not.toContain('undoing')
    expect(await stateOf(database)).toEqual(before)
  })

  test('but the last migration can be undone, and done again', async () => {
    const before = await readCatalog(database.admin)
    const { code, document } = await cliJson(database.url, 'rollback')
    expect({ code, document }).toMatchObject({ code: 0, document: { undone: [{ name: last }] } })
    expect((await cli(database.url, 'migrate')).code).toBe(0)
    expect(await readCatalog(database.admin)).toEqual(before)
  })
})

test('--yes drops without a question', async () => {
  const own = await ownDatabase('today')
  expect(await cli(own.url, 'archive', 'drop', '--yes')).toMatchObject({ code: 0, stderr: '' })
  expect(await own.admin`select to_regclass('archive.user_agents') as kept`).toEqual([{ kept: null }])
})

test('agents that the next migration restores are listed apart from what is kept, and not dropped', async () => {
  const own = await ownDatabase('today')
  await addAgentOfNewType(own.admin)
  await rollback(own.db, { to: baseline })
  const { code, stdout, stderr } = await cli(own.url, 'archive', 'drop', '--yes')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /^nothing is kept for rollback\nthese rows are restored by the next `migrate`\ntable .*\narchive\.system_agents +1 .*\nnothing to drop\n$/,
  )
  expect(await own.admin`select agent_type from archive.system_agents`).toEqual([{ agent_type: 'PLANNING' }])
})
