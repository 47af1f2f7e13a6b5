import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateMigration, reconstruct } from 'drizzle-kit/api-postgres'
import { expect, test } from 'vitest'
import { migrate, packagedMigrations } from '../../../src/migrate.ts'
import { ownDatabase } from '../../support/database.ts'
import { drizzleKit, kitMigrates, outcome } from '../../support/drizzle-kit.ts'
import { migrationsSince, names } from '../../support/migrations.ts'
import { root } from '../../support/root.ts'

const contract = 'rename_catalog_and_drop_user_agents'

test('drizzle-kit and migrate end in the same schema and the same ledger', async () => {
  const [ours, theirs] = [await ownDatabase('today'), await ownDatabase('stub_old')]
  await kitMigrates(theirs)
  const expected = await outcome(ours)
  expect(expected.ledger).toHaveLength(names.length)
  expect(await outcome(theirs)).toEqual(expected)
})

test('old and new default grants end in the same catalog', async () => {
  const [old, recent] = [await ownDatabase('today'), await ownDatabase('stub_new')]
  await migrate(recent.db)
  expect(await outcome(recent)).toEqual(await outcome(old))
})

test('without a DATABASE_URL drizzle-kit says how to give one', async () => {
  const { stdout, stderr, code } = await drizzleKit(['migrate'], { url: '' })
  expect(code).toBe(1)
  expect(stdout + stderr).toContain('DATABASE_URL is not set. The local server')
})

test.for(['drop_agent_id_constraints', contract])(
  'generated anew from before %s, with the hints, all is renamed that can be',
  async title => {
    expect(migrationsSince).toContain(title)
    const hints = JSON.parse(readFileSync(join(root, 'drizzle.hints.json'), 'utf8'))
    const snapshot = (name: string) =>
      JSON.parse(readFileSync(join(packagedMigrations(), name, 'snapshot.json'), 'utf8'))
    const snapshots = Object.fromEntries(names.map(name => [name, snapshot(name)]))
    const before = names[names.findIndex(name => name.endsWith(`_${title}`)) - 1]!
    const [from, to] = [await reconstruct(snapshots, snapshots[before].id), await reconstruct(snapshots)]
    const generated = await generateMigration(from, to, { hints })
    const statements = generated.map(statement => statement.trim().replace(/;$/, ''))

    const wanted: [from: string, to: string][] = hints
      .filter((hint: { type: string }) => hint.type === 'rename')
      .map((hint: { from: string[]; to: string[] }) => [hint.from.at(-1)!, hint.to.at(-1)!])
    expect(wanted).not.toEqual([])
    for (const [from, to] of wanted) {
      const about = statements.filter(
        statement => statement.includes(`"${from}"`) || statement.includes(`"${to}"`),
      )
      const renames = about.filter(statement =>
        new RegExp(`^ALTER (TABLE|POLICY) .*RENAME (CONSTRAINT "${from}" )?TO "${to}"$`).test(statement),
      )
      expect(renames, to).toHaveLength(1)
      const others = about.filter(statement =>
        /^(DROP|CREATE (TABLE|POLICY))|ADD CONSTRAINT|DROP CONSTRAINT/.test(statement),
      )
      expect(
        others.filter(statement => statement.includes(`"${from}"`)),
        from,
      ).toEqual([])
      expect(
        others.filter(statement => !statement.includes('memories')),
        to,
      ).toEqual([])
    }
  },
)
