import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { check, hasDrift } from '../../../src/migrate.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase, undone } from '../../support/database.ts'
import { after, last, names } from '../../support/migrations.ts'

let database: TestDatabase
let env: { DATABASE_URL: string }

beforeAll(async () => {
  database = await createDatabase('today')
  env = { DATABASE_URL: database.url }
})
afterAll(() => database.drop())

test('a database that is what its migrations say exits 0, in one line; --json is one document', async () => {
  const [told, document] = await Promise.all([
    runCli(['check'], { env }),
    runCli(['check', '--json'], { env }),
  ])
  expect({ ...told, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(told.stdout).toMatch(new RegExp(`^database matches ${last}; \\d\\d probes passed\\n$`))
  expect(document.code).toBe(0)
  const report = JSON.parse(document.stdout)
  expect(report).toEqual({ at: last, pending: [], ledger: [], differences: [], probes: expect.any(Array) })
  expect(report.probes).toContainEqual({ what: 'a sign-up with e-mail', outcome: 'passed' })
})

describe('where the ledger and the files disagree', () => {
  const earlier = `${names[0]!.slice(0, 'YYYYMMDDHHMMSS_'.length)}an_idea_that_went`
  const later = '29990101000000_from_a_later_version'
  const ledger = 'drizzle.__drizzle_migrations'
  const mistakes = [
    { code: 'UNKNOWN', name: later, by: `insert into ${ledger} (hash, name) values ('0', '${later}')` },
    { code: 'MISSING', name: earlier, by: `insert into ${ledger} (hash, name) values ('0', '${earlier}')` },
    { code: 'EDITED', name: names[2]!, by: `update ${ledger} set hash = '0' where name = '${names[2]}'` },
    { code: 'OUT_OF_ORDER', name: names[3]!, by: `delete from ${ledger} where name = '${names[3]}'` },
  ]
  const problem = ({ code, name }: (typeof mistakes)[number]) => ({
    code,
    names: [name],
    message: expect.stringMatching(new RegExp(`^${name}: (not )?applied, but `)),
  })

  test.each(mistakes)('check reports $code, and that alone', async mistake => {
    await undone(database.db, async tx => {
      await tx.execute(sql.raw(mistake.by))
      const report = await check(tx)
      expect(report).toMatchObject({ at: last, ledger: [problem(mistake)], differences: [] })
      expect(report.pending).toEqual(mistake.code === 'OUT_OF_ORDER' ? [mistake.name] : [])
      expect(hasDrift(report)).toBe(true)
    })
  })

  test('the command exits 4 and has a line for each, then one for what is otherwise, and the query that shows it', async () => {
    const own = await ownDatabase('today')
    for (const { by } of mistakes) await own.admin.unsafe(by)
    await own.admin`alter policy anon_select_memories on public.memories using (true)`
    const [told, document] = await Promise.all(
      [['check'], ['check', '--json']].map(args => runCli(args, { env: { DATABASE_URL: own.url } })),
    )
    expect({ ...told, stdout: '' }).toEqual({ code: 4, stdout: '', stderr: '' })
    const lines = told!.stdout.split('\n')
    for (const [i, { name }] of mistakes.entries()) expect(lines[i]).toMatch(`ledger: ${name}: `)
    const otherwise =
      'policy anon_select_memories on table public.memories is: permissive for select to anon using (true); it should be: permissive for select to anon using (false)'
    expect(lines[4]).toBe(`catalog: ${otherwise}`)
    const shown = await own.sql.unsafe(lines[5]!)
    expect(shown.map(({ polname }) => polname)).toContain('anon_select_memories')
    expect(lines[6]).toMatch(/^probe failed: anon can select nothing from public\.memories: /)
    expect(told!.stdout).not.toContain('database matches')

    expect(document!.code).toBe(4)
    expect(JSON.parse(document!.stdout)).toEqual({
      at: last,
      pending: [names[3]],
      ledger: mistakes.map(problem),
      differences: [
        {
          object: 'table public.memories',
          fact: 'policy anon_select_memories',
          expected: 'permissive for select to anon using (false)',
          found: 'permissive for select to anon using (true)',
          message: otherwise,
          sql: lines[5]!.trim(),
        },
      ],
      probes: expect.arrayContaining([
        {
          what: 'anon can select nothing from public.memories',
          outcome: 'failed',
          why: expect.any(String),
        },
      ]),
    })
  })
})

test('pending migrations alone exit 3, beside the word that the rest is as it should be', async () => {
  const contracted = await ownDatabase('contracted')
  const { code, stdout } = await runCli(['check'], { env: { DATABASE_URL: contracted.url } })
  expect(code).toBe(3)
  expect(stdout).toMatch(/^database matches \d+_rename_the_catalog_and_drop_user_agents; \d+ probes passed\n/)
  expect(stdout).toContain(
    `${after('rename_the_catalog_and_drop_user_agents').length} migrations pending; \`agents-db status\` lists them\n`,
  )
})

test('where nothing is applied it exits 3, says so, and tries nothing', async () => {
  const empty = await ownDatabase('stub_old')
  const own = { DATABASE_URL: empty.url }
  const [told, document] = await Promise.all([
    runCli(['check'], { env: own }),
    runCli(['check', '--json'], { env: own }),
  ])
  expect(told).toEqual({
    code: 3,
    stdout: `no migration is applied\n${names.length} migrations pending; \`agents-db status\` lists them\n`,
    stderr: '',
  })
  expect(document.code).toBe(3)
  expect(JSON.parse(document.stdout)).toEqual({
    at: null,
    pending: names,
    ledger: [],
    differences: [],
    probes: [],
  })
})
