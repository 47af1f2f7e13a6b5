import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, signUp, type TestDatabase } from '../../support/database.ts'
import { run } from '../../support/process.ts'
import { removeServer } from '../../support/server.ts'
import { installPackage, succeed, tsc } from './install.ts'

const node = process.execPath
let database: TestDatabase
let installed: Awaited<ReturnType<typeof installPackage>>

let directory: string

beforeAll(async () => {
  database = await createDatabase()
  directory = await mkdtemp(join(tmpdir(), 'agents-db-package-'))
  installed = await installPackage(directory)
}, 120_000)
afterAll(async () => {
  await database.drop()
  await rm(directory, { recursive: true, force: true })
})

const command = (args: string[], url = database.url) =>
  run(join(installed.consumer, 'node_modules/.bin/agents-db'), args, {
    cwd: installed.consumer,
    env: { DATABASE_URL: url },
  })

const backend = async (...args: string[]) =>
  JSON.parse(
    await succeed(node, ['out/backend.js', ...args], {
      cwd: installed.consumer,
      env: { DATABASE_URL: database.url },
    }),
  )

/** The files that are loaded for an entry point, as V8 lists them. */
async function loadedFor(entry: string): Promise<string[]> {
  const coverage = join(directory, `coverage ${entry.replaceAll('/', ' ')}`)
  const load = ['--input-type=module', '--eval', `import '${entry}'`]
  await succeed(node, load, { cwd: installed.consumer, env: { NODE_V8_COVERAGE: coverage } })
  const [report = ''] = await readdir(coverage)
  const { result } = JSON.parse(await readFile(join(coverage, report), 'utf8'))
  return result.map(({ url }: { url: string }) => url).filter((url: string) => url.startsWith('file:'))
}

test('a consumer type-checks, for Node and for a bundler', async () => {
  await Promise.all([
    succeed(node, [tsc, '--project', 'tsconfig.json'], { cwd: installed.consumer }),
    succeed(node, [tsc, '--project', 'tsconfig.bundler.json'], { cwd: installed.consumer }),
  ])
})

test('it migrates, seeds and serves a user from what the tarball holds, and its command agrees', async () => {
  const pending = await command(['status', '--json'])
  expect(pending.code).toBe(3)
  expect(JSON.parse(pending.stdout).applied).toEqual([])

  const { migrated, ...prepared } = await backend('prepare')
  expect(migrated).toBe(JSON.parse(pending.stdout).pending.length)
  expect(prepared).toEqual({
    pending: [],
    agents: ['INTENT_RECOGNITION', 'RESULT_REPORTING', 'TASK_EXECUTION'],
    codes: ['UNKNOWN_NAME', 'SEED_INVALID'],
  })

  const applied = await command(['status', '--json'])
  expect(applied.code).toBe(0)
  expect(JSON.parse(applied.stdout).pending).toEqual([])

  expect(await backend('serve', await signUp(database.admin))).toEqual({
    agents: [
      ['INTENT_RECOGNITION', false, 'anthropic'],
      ['RESULT_REPORTING', false, 'google'],
      ['TASK_EXECUTION', true, 'anthropic'],
    ],
    models: ['claude-haiku-4-5', 'claude-sonnet-4-5', 'gemini-2.5-flash'],
    rows: 3,
    listed: [['mine'], null],
    memories: ['mine'],
    llms: 7,
  })
})

test('its command seeds, and says by its exit code what is wrong', async () => {
  const seeded = await command(['seed', '--json'])
  expect(seeded.code).toBe(0)
  expect(JSON.parse(seeded.stdout).agents.unchanged).toHaveLength(3)

  expect((await command(['no-such-command'])).code).toBe(2)
  expect((await command(['status', '--no-such-option'])).code).toBe(2)
  expect((await command(['status'], 'postgresql://nobody@127.0.0.1:1/nowhere')).code).toBe(1)
  await database.sql`update drizzle.__drizzle_migrations set hash = 'another' where id = 1`
  expect((await command(['status'])).code).toBe(4)
})

test('its command needs nothing that only this repository has', async () => {
  const { version } = JSON.parse(
    await readFile(join(installed.consumer, 'node_modules/@agents/db/package.json'), 'utf8'),
  )
  expect((await command(['--version'])).stdout).toBe(`${version}\n`)
  expect((await command(['--help'])).stdout).toContain('Exit codes:')
})

test('the schema loads without YAML, Zod, the migrations or a driver', async () => {
  const loaded = await loadedFor('@agents/db/schema')
  const ours = loaded.filter(url => url.includes('/@agents/db/'))
  expect(ours.length).toBeGreaterThan(4)
  expect(ours.filter(url => !url.includes('/@agents/db/dist/schema'))).toEqual([])
  expect(loaded.filter(url => /\/node_modules\/(yaml|zod|postgres|diff)\//.test(url))).toEqual([])
  // The tables and what of Drizzle declares them; its drivers would be more.
  expect(loaded.length).toBeLessThan(200)

  const control = await loadedFor('@agents/db/zod')
  expect(control.some(url => url.includes('/node_modules/zod/'))).toBe(true)
})

test('the entry point for backends loads a driver, but no YAML, no Zod and no migrations', async () => {
  const loaded = await loadedFor('@agents/db')
  expect(loaded.some(url => url.includes('/node_modules/postgres/'))).toBe(true)
  const parts =
    /\/node_modules\/(yaml|zod|diff)\/|\/@agents\/db\/dist\/(migrate|migrator|platform|seed|catalog|cli|local)\b/
  expect(loaded.filter(url => parts.test(url))).toEqual([])
})

test("a consumer's own tests have a database each, with node:test", async () => {
  const data = join(installed.consumer, '.data')
  try {
    await writeFile(
      join(installed.consumer, 'users.test.mjs'),
      `import assert from 'node:assert/strict'
       import { test } from 'node:test'
       import { agentsForUser } from '@agents/db'
       import { createTestDatabase } from '@agents/db/testing'
       for (const name of ['one', 'two'])
         test(name, async () => {
           const { db, signUp, drop } = await createTestDatabase({ seeded: true })
           assert.equal((await agentsForUser(db, await signUp())).length, 3)
           assert.equal((await db.query.profiles.findMany()).length, 1)
           await drop()
         })`,
    )
    await succeed(node, ['--test', 'users.test.mjs'], { cwd: installed.consumer })
  } finally {
    await removeServer(data)
  }
})

test('bundled, it says before anything runs what is missing, and left out of the bundle it works', async () => {
  const own = await createDatabase()
  try {
    const bundle = async (options: BuildOptions) => {
      const outfile = join(installed.consumer, 'bundled.mjs')
      const files = { absWorkingDir: installed.consumer, entryPoints: ['migrate.mjs'], outfile }
      await build({ bundle: true, platform: 'node', format: 'esm', ...files, ...options })
      return await run(node, [outfile], { cwd: installed.consumer, env: { DATABASE_URL: own.url } })
    }
    await writeFile(
      join(installed.consumer, 'migrate.mjs'),
      `import { createDatabase } from '@agents/db'
       import { check, migrate } from '@agents/db/migrate'
       import { seed } from '@agents/db/seed'
       const db = createDatabase(process.env.DATABASE_URL)
       for (const work of [seed, check, migrate, seed, check])
         await work(db).then(() => console.log('done'), error => console.log(error.message))
       await db.$client.end()`,
    )
    const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`
    const inside = await bundle({ banner: { js } })
    expect(inside.stdout.trim().split('\n')).toEqual(
      Array.from({ length: 5 }, () => expect.stringMatching(/ is missing\. .* --external:@agents\/db$/)),
    )
    const outside = await bundle({ external: ['@agents/db'] })
    expect(outside.stdout.trim().split('\n')).toEqual([
      expect.stringContaining('creates the tables'),
      'done',
      'done',
      'done',
      'done',
    ])
  } finally {
    await own.drop()
  }
})

test('the tarball holds what the package needs at work, and nothing of its tests', async () => {
  const names = (await succeed('tar', ['-tzf', installed.tarball], { cwd: directory })).trim().split('\n')
  const folders = new Set(names.map(name => name.split('/').slice(1, 2).join('')))
  expect([...folders].sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'dist',
    'docs',
    'drizzle',
    'package.json',
    'seeds',
    'src',
  ])
})
