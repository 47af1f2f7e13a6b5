import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packagedMigrations } from '../../../src/migrate.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { after, names } from '../../support/migrations.ts'
import { readLedger } from '../../support/rows.ts'

const [, name = ''] = names
const file = createHash('sha256')
  .update(readFileSync(join(packagedMigrations(), name, 'migration.sql')))
  .digest('hex')
const applied = 'f00d'.repeat(16)

let database: TestDatabase
let env: { DATABASE_URL: string }
beforeAll(async () => {
  database = await createDatabase('contracted')
  env = { DATABASE_URL: database.url }
})
afterAll(() => database.drop())

test('with nothing edited it asks nothing, and exits 0', async () => {
  const { code, stdout } = await runCli(['repair'], { env })
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringContaining('every applied migration matches its file'),
  })
})

test('an edited file stops migrate with exit code 1, which says how to go on', async () => {
  await database.admin`update drizzle.__drizzle_migrations set hash = ${applied} where name = ${name}`
  const { code, stderr } = await runCli(['migrate'], { env })
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(name) })
  expect(stderr).toContain('agents-db repair')
})

test('without a terminal and --yes it shows both hashes, accepts nothing and exits 2', async () => {
  const before = await readLedger(database.admin)
  const { code, stdout, stderr } = await runCli(['repair'], { env })
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--yes') })
  for (const part of [name, applied, file]) expect(stdout).toContain(part)
  expect(await readLedger(database.admin)).toEqual(before)
})

test('with --yes it accepts what the file says, and migrate goes on', async () => {
  const { code, stdout } = await runCli(['repair', '--yes', '--json'], { env })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ repaired: [{ name, recorded: applied, file }] })
  const [row] = await database.admin`select hash from drizzle.__drizzle_migrations where name = ${name}`
  expect(row?.hash).toBe(file)
  const migrated = await runCli(['migrate', '--json'], { env })
  expect(migrated.code).toBe(0)
  expect(JSON.parse(migrated.stdout).applied).toHaveLength(
    after('rename_the_catalog_and_drop_user_agents').length,
  )
})
