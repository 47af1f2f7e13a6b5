import { expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import { compiled } from '../../support/compiled.ts'
import { ownDatabase } from '../../support/database.ts'
import { baseline, migrationsSince, names } from '../../support/migrations.ts'
import { withMigrators } from '../../support/migrators.ts'
import { run } from '../../support/process.ts'
import { readRows } from '../../support/rows.ts'
import { all, sample } from '../../support/sample.ts'

/** More rows than a batch of the online scripts has. */
const filled = 'baseline of 400 users and 3000 memories'
const since = names.slice(-migrationsSince.length)

/** Eight migrators go up at once, then down, and end where one alone would. */
async function race(template: string, expected: string[]): Promise<void> {
  const { admin, migrators } = await withMigrators(template, 2)
  const reports = await Promise.all(migrators.map(migrator => migrate(migrator)))
  const ledger = await admin`select name from drizzle.__drizzle_migrations order by id`
  expect(ledger.map(({ name }) => name)).toEqual(names)
  expect(reports.flatMap(({ applied }) => applied.map(({ name }) => name)).sort()).toEqual(expected)
  for (const { applied, already } of reports) expect(applied.length + already).toBe(names.length)

  const alone = await ownDatabase(template)
  await migrate(alone.db)
  expect(await readCatalog(admin)).toEqual(await readCatalog(alone.admin))
  const schemas = ['public', 'auth', 'archive']
  expect(await readRows(admin, schemas)).toEqual(await readRows(alone.admin, schemas))

  const down = await Promise.all(migrators.map(migrator => rollback(migrator, { to: baseline })))
  expect(down.flatMap(({ undone }) => undone.map(({ name }) => name)).sort()).toEqual(since)
}

const cases: Record<string, () => Promise<void>> = {
  'eight migrators with two connections each, on a fresh database': () => race('stub_old', names),
  'eight migrators with two connections each, on a baseline whose rows are still to be moved': () =>
    race(filled, since),
  'four processes on a filled baseline': async () => {
    const { admin, url } = await ownDatabase(filled)
    const main = await compiled('src/cli/main.ts')
    const env = { DATABASE_URL: url }
    const results = await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, [main, 'migrate', '--json'], { env })),
    )
    for (const { code, stderr } of results) expect({ code, stderr }).toMatchObject({ code: 0 })
    const applied: { name: string }[] = results.flatMap(({ stdout }) => JSON.parse(stdout).applied)
    expect(applied.map(({ name }) => name).sort()).toEqual(since)
    const ledger = await admin`select name from drizzle.__drizzle_migrations order by id`
    expect(ledger.map(({ name }) => name)).toEqual(names)
  },
}

test.for(sample('concurrency', Object.entries(cases), 1))('%s', async ([, proves]) => {
  for (let round = 0; round < (all ? 3 : 1); round++) await proves()
})
