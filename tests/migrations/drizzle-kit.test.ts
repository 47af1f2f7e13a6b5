import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { migrate, packagedMigrations, status } from '../../src/migrations/index.ts'
import { readCatalog } from '../support/catalog.ts'
import { ownDatabase, type TestDatabase } from '../support/database.ts'
import { fill, readRows } from '../support/rows.ts'
import { migrationsSince } from './commit-points.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const hints = join(root, 'drizzle.hints.json')

/** Runs drizzle-kit as whoever deploys would, and gives what it printed. */
async function drizzleKit(args: string[], options: { cwd?: string; url?: string } = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/drizzle-kit'), args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, DATABASE_URL: options.url ?? 'postgresql://nobody@localhost:1/nothing' },
  })
  return stdout
}

/** A directory with the migrations before the named one, and a configuration for drizzle-kit. */
async function cutBefore(name: string): Promise<{ cwd: string; folder: string }> {
  const cwd = await mkdtemp(join(tmpdir(), 'agents-db-drizzle-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  const folder = join(cwd, 'drizzle')
  await cp(packagedMigrations(), folder, { recursive: true })
  const all = (await readdir(folder)).sort()
  const cut = all.findIndex(migration => migration.endsWith(`_${name}`))
  expect(cut).toBeGreaterThan(0)
  for (const later of all.slice(cut)) await rm(join(folder, later), { recursive: true })
  const config = {
    dialect: 'postgresql',
    schema: join(root, 'src/schema/index.ts'),
    out: './drizzle',
  }
  await writeFile(
    join(cwd, 'drizzle.config.mjs'),
    `export default { ...${JSON.stringify(config)}, dbCredentials: { url: process.env.DATABASE_URL } }\n`,
  )
  return { cwd, folder }
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

test.for(['standin_old', 'standin_new'])('drizzle-kit and migrate end alike, from %s', async template => {
  const [ours, theirs] = [await ownDatabase(template), await ownDatabase(template)]
  await migrate(ours.db)
  await drizzleKit(['migrate'], { url: theirs.url })
  const expected = await outcome(ours)
  expect(expected.ledger.length).toBeGreaterThan(migrationsSince.length)
  expect(await outcome(theirs)).toEqual(expected)
})

test('old and new default grants end in the same catalog', async () => {
  const [old, recent] = [await ownDatabase('standin_old'), await ownDatabase('standin_new')]
  await migrate(old.db)
  await migrate(recent.db)
  expect(await outcome(recent)).toEqual(await outcome(old))
})

test('drizzle-kit and migrate end alike over the rows of users', async () => {
  const [ours, theirs] = [await ownDatabase('baseline'), await ownDatabase('baseline')]
  for (const { admin } of [ours, theirs]) await fill(admin, { users: 60, memories: 300 })
  await migrate(ours.db)
  await drizzleKit(['migrate'], { url: theirs.url })
  expect(await outcome(theirs)).toEqual(await outcome(ours))
  // Sign-ups are stamped when they happen, and agents have ids of their own: all else is alike.
  const settled = async ({ admin }: TestDatabase) => [
    (await readRows(admin))['public.memories'],
    [...(await admin`select id, username, bio, settings::text from public.profiles order by id`)],
    [
      ...(await admin`
        select user_id, agent_type, config::text, status, deleted_at::text from archive.user_agents order by user_id, agent_type`),
    ],
  ]
  expect(await settled(theirs)).toEqual(await settled(ours))
})

test.for([migrationsSince[0]!, 'rename_the_catalog_and_drop_user_agents'])(
  'they take turns, the other going on at %s',
  async name => {
    const { cwd, folder } = await cutBefore(name)
    const [kitFirst, oursFirst, alone] = [
      await ownDatabase('standin_old'),
      await ownDatabase('standin_old'),
      await ownDatabase('today'),
    ]
    const inTurns = async () => {
      await drizzleKit(['migrate', '--config', 'drizzle.config.mjs'], { cwd, url: kitFirst.url })
      const { pending } = await status(kitFirst.db)
      expect(pending[0]).toContain(name)
      await migrate(kitFirst.db)
    }
    const inTheOtherTurns = async () => {
      await migrate(oursFirst.db, { folder })
      await drizzleKit(['migrate'], { url: oursFirst.url })
    }
    await Promise.all([inTurns(), inTheOtherTurns()])

    const expected = await outcome(alone)
    expect(await outcome(kitFirst)).toEqual(expected)
    expect(await outcome(oursFirst)).toEqual(expected)
  },
)

test('once all is applied, neither does anything more', async () => {
  const database = await ownDatabase('today')
  const before = await database.admin`select m::text from drizzle.__drizzle_migrations m order by id`
  await drizzleKit(['migrate'], { url: database.url })
  expect((await migrate(database.db)).applied).toEqual([])
  expect([...(await database.admin`select m::text from drizzle.__drizzle_migrations m order by id`)]).toEqual(
    [...before],
  )
})

test('without a DATABASE_URL drizzle-kit says how to give one', async () => {
  const { stdout, stderr, code } = await drizzleKit(['migrate'], { url: '' }).catch(error => error)
  expect(code).toBe(1)
  expect(stdout + stderr).toContain('DATABASE_URL is not set. The local server')
})

test('the migrations are consistent, and the tables need no other', async () => {
  expect(await drizzleKit(['check'])).toContain('Everything')
  const answer = await drizzleKit(['generate', '--hints-file', hints, '--explain', '--output', 'json'])
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status: 'no_changes' })
})

test('a table that the migrations lack would be noticed', async () => {
  const { cwd } = await cutBefore('harden_the_tables')
  const answer = await drizzleKit(
    ['generate', '--config', 'drizzle.config.mjs', '--hints-file', hints, '--explain', '--output', 'json'],
    { cwd },
  )
  expect(answer).not.toContain('no_changes')
  expect(answer).toContain('chk_memories_memory_type')
})

test.for(['let_go_of_agent_id', 'rename_the_catalog_and_drop_user_agents'])(
  'generated anew from before %s, with the hints, all is renamed that can be',
  async name => {
    const { cwd, folder } = await cutBefore(name)
    await drizzleKit(
      ['generate', '--config', 'drizzle.config.mjs', '--hints-file', hints, '--name', 'generated_again'],
      { cwd },
    )
    const generated = (await readdir(folder)).find(migration => migration.endsWith('_generated_again'))
    const statements = (await readFile(join(folder, generated!, 'migration.sql'), 'utf8'))
      .split('--> statement-breakpoint')
      .map(statement => statement.trim().replace(/;$/, ''))

    const wanted: [from: string, to: string][] = JSON.parse(await readFile(hints, 'utf8'))
      .filter((hint: { type: string }) => hint.type === 'rename')
      .map((hint: { from: string[]; to: string[] }) => [hint.from.at(-1)!, hint.to.at(-1)!])
    expect(wanted).toHaveLength(13)
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
