import { expect, test } from 'vitest'
import { cli, cliJson } from '../../support/cli.ts'
import { sharedDatabase } from '../../support/database.ts'
import { baseline, last, named, names, namesAfter } from '../../support/migrations.ts'
import { fill, ledgerNames, readLedger, readRows } from '../../support/rows.ts'

const database = sharedDatabase('built', ({ admin }) => fill(admin, { users: 20, memories: 60 }))
const schemaOfLedger = async () =>
  (await database.admin`select to_regnamespace('drizzle')::text as there`)[0]?.there

test('migrate, which finds that the tables exist, names adopt', async () => {
  const { code, stderr } = await cli(database.url, 'migrate')
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/SQLSTATE 42P07.*`agents-db adopt`/s),
  })
  expect(await schemaOfLedger()).toBeNull()
})

test('what stands in the way is named, with exit code 1, and nothing is written', async () => {
  await database.sql`alter table public.llms add column price numeric`
  expect(await cliJson(database.url, 'adopt', '--yes')).toEqual({
    code: 1,
    document: { error: { code: 'NOT_ADOPTABLE', message: expect.stringContaining(baseline) } },
    stderr: expect.stringContaining('column price on table public.llms should not exist'),
  })
  expect(await schemaOfLedger()).toBeNull()
  await database.sql`alter table public.llms drop column price`
})

test('without a terminal and --yes it shows the plan, writes nothing and exits 2', async () => {
  const before = await readRows(database.admin)
  const { code, stdout, stderr } = await cli(database.url, 'adopt')
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--yes') })
  expect(stdout.split('\n')[0]).toBe(`database matches ${named(baseline)}`)
  expect(stdout).toMatch(
    /anon has all on table public.user_agents, and should have nothing\n.*_serve_both_applications will correct this\n/,
  )
  for (const name of names.slice(0, 2)) expect(stdout).toContain(`will be recorded as applied: ${name}\n`)
  expect(await schemaOfLedger()).toBeNull()
  expect(await readRows(database.admin)).toEqual(before)
})

test('with --yes it records, and migrate goes on from there', async () => {
  expect(await cliJson(database.url, 'adopt', '--yes')).toMatchObject({
    code: 0,
    document: { at: named(baseline), recorded: names.slice(0, 2) },
  })
  expect(await ledgerNames(database)).toEqual(names.slice(0, 2))
  const { code, document } = await cliJson(database.url, 'migrate')
  expect(code).toBe(0)
  expect(document.applied).toHaveLength(namesAfter(baseline).length)
  expect((await cli(database.url, 'check')).code).toBe(0)
})

test('a second time there is nothing to adopt, and it asks nothing', async () => {
  const before = await readLedger(database.admin)
  expect(await cli(database.url, 'adopt')).toMatchObject({
    code: 0,
    stdout: `nothing to adopt: the ledger already exists and ends with ${last}\n`,
  })
  const { document } = await cliJson(database.url, 'adopt')
  expect(document).toEqual({ at: last, recorded: [], replaced: [], accepted: [] })
  expect(await readLedger(database.admin)).toEqual(before)
})
