import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { generateMigration, reconstruct } from 'drizzle-kit/api-postgres'
import { expect, test } from 'vitest'
import { migrate, packagedMigrations, status } from '../../../src/migrations/index.ts'
import { readCatalog } from '../../support/catalog.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { copyOfMigrations } from '../../support/folder.ts'
import { migrationsSince, names } from '../../support/migrations.ts'
import { run } from '../../support/process.ts'
import { root } from '../../support/root.ts'
import { readRows } from '../../support/rows.ts'

const contract = 'rename_the_catalog_and_drop_user_agents'

/** Runs drizzle-kit as the person who deploys would. */
async function drizzleKit(args: string[], { url, cwd = root }: { url: string; cwd?: string }) {
  return await run(join(root, 'node_modules/.bin/drizzle-kit'), args, { cwd, env: { DATABASE_URL: url } })
}

async function kitMigrates({ url }: TestDatabase, folder?: string): Promise<void> {
  const args = folder ? ['migrate', '--config', 'drizzle.config.mjs'] : ['migrate']
  const result = await drizzleKit(args, folder ? { url, cwd: dirname(folder) } : { url })
  expect(result).toMatchObject({ code: 0 })
}

/** The migrations before the named one, with a configuration for drizzle-kit beside their folder. */
async function cutBefore(title: string): Promise<string> {
  const folder = await copyOfMigrations()
  const cut = names.findIndex(name => name.endsWith(`_${title}`))
  for (const later of names.slice(cut)) await rm(join(folder, later), { recursive: true })
  const config = { dialect: 'postgresql', schema: join(root, 'src/schema/index.ts'), out: './drizzle' }
  await writeFile(
    join(dirname(folder), 'drizzle.config.mjs'),
    `export default { ...${JSON.stringify(config)}, dbCredentials: { url: process.env.DATABASE_URL } }\n`,
  )
  return folder
}

/** Everything that two ways of migrating must agree on: our schemas and drizzle's ledger, without the clock's part. */
async function outcome({ admin, sql }: TestDatabase) {
  return {
    catalog: await readCatalog(sql, { archive: true }),
    ledger: [
      ...(await admin`select id, hash, created_at, name from drizzle.__drizzle_migrations order by id`),
    ],
    columns: [
      ...(await admin`
        select column_name, data_type, is_nullable, column_default, ordinal_position from information_schema.columns
         where table_schema = 'drizzle' order by ordinal_position`),
    ],
    keys: [
      ...(await admin`
        select conname, pg_get_constraintdef(oid) as definition from pg_constraint
         where connamespace = 'drizzle'::regnamespace order by conname`),
    ],
    untimed: [...(await admin`select from drizzle.__drizzle_migrations where applied_at is null`)].length,
  }
}

test('drizzle-kit and migrate end in the same schema and the same ledger', async () => {
  const [ours, theirs] = [await ownDatabase('stub_old'), await ownDatabase('stub_old')]
  await migrate(ours.db)
  await kitMigrates(theirs)
  const expected = await outcome(ours)
  expect(expected.ledger).toHaveLength(names.length)
  expect(await outcome(theirs)).toEqual(expected)
})

test('old and new default grants end in the same catalog', async () => {
  const [old, recent] = [await ownDatabase('stub_old'), await ownDatabase('stub_new')]
  await migrate(old.db)
  await migrate(recent.db)
  expect(await outcome(recent)).toEqual(await outcome(old))
})

test('drizzle-kit and migrate leave the rows of users alike', async () => {
  const filled = 'baseline of 100 users and 500 memories'
  const [ours, theirs] = [await ownDatabase(filled), await ownDatabase(filled)]
  await migrate(ours.db)
  await kitMigrates(theirs)
  expect(await outcome(theirs)).toEqual(await outcome(ours))
  const rows = ({ admin }: TestDatabase) => readRows(admin, ['public', 'auth', 'archive'])
  // Profiles are stamped when their settings are repaired.
  const [{ 'public.profiles': _, ...found }, { 'public.profiles': __, ...expected }] = [
    await rows(theirs),
    await rows(ours),
  ]
  expect(found).toEqual(expected)
  const profiles = ({ admin }: TestDatabase) =>
    admin`select id, username, bio, settings::text from public.profiles order by id`
  expect([...(await profiles(theirs))]).toEqual([...(await profiles(ours))])
})

test('they can be used alternately, either going on where the other left off', async () => {
  const folder = await cutBefore(contract)
  const [kitFirst, oursFirst, alone] = [
    await ownDatabase('stub_old'),
    await ownDatabase('stub_old'),
    await ownDatabase('today'),
  ]
  const expected = await outcome(alone)

  await kitMigrates(kitFirst, folder)
  expect((await status(kitFirst.db)).pending[0]).toContain(contract)
  await migrate(kitFirst.db)
  expect(await outcome(kitFirst)).toEqual(expected)

  await migrate(oursFirst.db, { folder })
  await kitMigrates(oursFirst)
  expect(await outcome(oursFirst)).toEqual(expected)

  // Once all is applied, neither does anything more.
  const ledger = () => alone.admin`select m::text from drizzle.__drizzle_migrations m order by id`
  const before = [...(await ledger())]
  await kitMigrates(alone)
  expect((await migrate(alone.db)).applied).toEqual([])
  expect([...(await ledger())]).toEqual(before)
})

test('without a DATABASE_URL drizzle-kit says how to give one', async () => {
  const { stdout, stderr, code } = await drizzleKit(['migrate'], { url: '' })
  expect(code).toBe(1)
  expect(stdout + stderr).toContain('DATABASE_URL is not set. The local server')
})

test.for(['let_go_of_agent_id', contract])(
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
