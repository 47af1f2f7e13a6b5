import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { after, last } from '../../support/migrations.ts'
import { fill, readLedger, readRows } from '../../support/rows.ts'

const baseline = 'secure_the_agent_tables'

let database: TestDatabase
let env: { DATABASE_URL: string }
beforeAll(async () => {
  database = await createDatabase('built')
  await fill(database.admin, { users: 20, memories: 60 })
  env = { DATABASE_URL: database.url }
})
afterAll(() => database.drop())

const ledger = async () => (await database.admin`select to_regnamespace('drizzle')::text as there`)[0]?.there

test('migrate, which finds the tables made already, names adopt', async () => {
  const { code, stderr } = await runCli(['migrate'], { env })
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/SQLSTATE 42P07.*`agents-db adopt`/s),
  })
  expect(await ledger()).toBeNull()
})

test('what stands in the way is named, with exit code 1, and nothing is written', async () => {
  await database.sql`alter table public.llms add column price numeric`
  const { code, stdout, stderr } = await runCli(['adopt', '--yes', '--json'], { env })
  expect(code).toBe(1)
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'NOT_ADOPTABLE',
    message: expect.stringContaining(baseline),
  })
  expect(stderr).toContain('column price on table public.llms is there, and should not be')
  expect(await ledger()).toBeNull()
  await database.sql`alter table public.llms drop column price`
})

test('without a terminal and --yes it shows the plan, writes nothing and exits 2', async () => {
  const before = await readRows(database.admin)
  const { code, stdout, stderr } = await runCli(['adopt'], { env })
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--yes') })
  expect(stdout).toMatch(new RegExp(`^database matches \\d+_${baseline}\n`))
  expect(stdout).toMatch(
    /anon has all on table public.user_agents, and should have nothing\n.*_serve_both_applications will correct this\n/,
  )
  expect(stdout).toMatch(
    /will be recorded as applied: \d+_create_the_agent_tables\n.*recorded as applied: \d+_secure/,
  )
  expect(await ledger()).toBeNull()
  expect(await readRows(database.admin)).toEqual(before)
})

test('with --yes it records, and migrate goes on from there', async () => {
  const { code, stdout } = await runCli(['adopt', '--yes', '--json'], { env })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    at: expect.stringContaining(baseline),
    recorded: [expect.stringContaining('create_the_agent_tables'), expect.stringContaining(baseline)],
  })
  expect(await readLedger(database.admin)).toHaveLength(2)
  const migrated = await runCli(['migrate', '--json'], { env })
  expect(migrated.code).toBe(0)
  expect(JSON.parse(migrated.stdout).applied).toHaveLength(after(baseline).length)
  expect((await runCli(['check'], { env })).code).toBe(0)
})

test('a second time there is nothing to adopt, and it asks nothing', async () => {
  const before = await readLedger(database.admin)
  const { code, stdout } = await runCli(['adopt'], { env })
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      new RegExp(`^nothing to adopt: the ledger already exists and ends with ${last}\n$`),
    ),
  })
  const { stdout: json } = await runCli(['adopt', '--json'], { env })
  expect(JSON.parse(json)).toEqual({
    at: last,
    recorded: [],
    replaced: [],
  })
  expect(await readLedger(database.admin)).toEqual(before)
})
