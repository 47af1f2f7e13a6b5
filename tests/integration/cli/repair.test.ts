import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packagedMigrations } from '../../../src/migrate.ts'
import { cli, cliJson } from '../../support/cli.ts'
import { sharedDatabase } from '../../support/database.ts'
import { baseline, named, namesAfter } from '../../support/migrations.ts'
import { readLedger } from '../../support/rows.ts'

const name = named(baseline)
const text = readFileSync(join(packagedMigrations(), name, 'migration.sql'))
const now = createHash('sha256').update(text).digest('hex')
const recorded = 'f00d'.repeat(16)
const database = sharedDatabase('contracted')

test('with nothing edited it asks nothing, and exits 0', async () => {
  expect(await cli(database.url, 'repair')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('every applied migration matches its files'),
  })
})

test('an edited file stops migrate with exit code 1, which says how to go on', async () => {
  await database.admin`update drizzle.__drizzle_migrations set hash = ${recorded} where name = ${name}`
  expect(await cli(database.url, 'migrate')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(new RegExp(`${name}.*agents-db repair`, 's')),
  })
})

test('without a terminal and --yes it shows both hashes, accepts nothing and exits 2', async () => {
  const before = await readLedger(database.admin)
  const { code, stdout, stderr } = await cli(database.url, 'repair')
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--yes') })
  for (const part of [`${name}/migration.sql`, recorded, now]) expect(stdout).toContain(part)
  expect(await readLedger(database.admin)).toEqual(before)
})

test('with --yes it accepts what the file says, and migrate goes on', async () => {
  expect(await cliJson(database.url, 'repair', '--yes')).toMatchObject({
    code: 0,
    document: { repaired: [{ file: `${name}/migration.sql`, recorded, now }] },
  })
  const [row] = await database.admin`select hash from drizzle.__drizzle_migrations where name = ${name}`
  expect(row?.hash).toBe(now)
  const { code, document } = await cliJson(database.url, 'migrate')
  expect(code).toBe(0)
  expect(document.applied).toHaveLength(namesAfter('rename_catalog_and_drop_user_agents').length)
})
