import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { check, hasDrift } from '../../../src/migrate.ts'
import { cli, cliJson } from '../../support/cli.ts'
import { ownDatabase, sharedDatabase, undone } from '../../support/database.ts'
import { last, named, names, namesAfter } from '../../support/migrations.ts'

const database = sharedDatabase('today')
const ledger = 'drizzle.__drizzle_migrations'
const earlier = `${names[0]!.slice(0, 'YYYYMMDDHHMMSS_'.length)}an_idea_that_went`
const later = '29990101000000_from_a_later_version'
const mistakes = [
  { code: 'UNKNOWN', name: later, by: `insert into ${ledger} (hash, name) values ('0', '${later}')` },
  { code: 'MISSING', name: earlier, by: `insert into ${ledger} (hash, name) values ('0', '${earlier}')` },
  {
    code: 'EDITED',
    name: `${names[2]}/migration.sql`,
    by: `update ${ledger} set hash = '0' where name = '${names[2]}'`,
  },
  { code: 'OUT_OF_ORDER', name: names[3]!, by: `delete from ${ledger} where name = '${names[3]}'` },
]
const problem = ({ code, name }: (typeof mistakes)[number]) => ({
  code,
  names: [name],
  message: expect.stringMatching(new RegExp(`^${name}: (not )?applied, but `)),
})

test('a database that matches its migrations exits 0, in one line; --json is one document', async () => {
  const { code, stdout, stderr } = await cli(database.url, 'check')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(new RegExp(`^database matches ${last}; \\d\\d probes passed\\n$`))
  const { document, ...result } = await cliJson(database.url, 'check')
  expect(result.code).toBe(0)
  expect(document).toEqual({
    at: last,
    pending: [],
    ledger: [],
    differences: [],
    accepted: [],
    obsolete: [],
    probes: expect.any(Array),
  })
  expect(document.probes).toContainEqual({ what: 'a sign-up with e-mail', outcome: 'passed' })
})

test.each(mistakes)(
  'where the ledger and the files disagree, check reports $code, and that alone',
  async mistake => {
    await undone(database.db, async tx => {
      await tx.execute(sql.raw(mistake.by))
      const report = await check(tx)
      expect(report).toMatchObject({ at: last, ledger: [problem(mistake)], differences: [] })
      expect(report.pending).toEqual(mistake.code === 'OUT_OF_ORDER' ? [mistake.name] : [])
      expect(hasDrift(report)).toBe(true)
    })
  },
)

test('the command exits 4 and has a line for each mistake, each difference and each failed probe', async () => {
  const own = await ownDatabase('today')
  for (const { by } of mistakes) await own.admin.unsafe(by)
  await own.admin`alter policy anon_select_memories on public.memories using (true)`
  const { code, stdout, stderr } = await cli(own.url, 'check')
  expect({ code, stderr }).toEqual({ code: 4, stderr: '' })
  const lines = stdout.split('\n')
  for (const [i, { name }] of mistakes.entries()) expect(lines[i]).toMatch(`ledger: ${name}: `)
  const difference = {
    object: 'table public.memories',
    fact: 'policy anon_select_memories',
    expected: 'permissive for select to anon using (false)',
    found: 'permissive for select to anon using (true)',
    message:
      'policy anon_select_memories on table public.memories is: permissive for select to anon using (true); it should be: permissive for select to anon using (false)',
  }
  expect(lines[4]).toBe(`catalog: ${difference.message}`)
  const what = 'anon can select nothing from public.memories'
  expect(lines[5]).toMatch(`probe failed: ${what}: `)
  expect(stdout).not.toContain('database matches')

  const { document, ...result } = await cliJson(own.url, 'check')
  expect(result.code).toBe(4)
  expect(document).toEqual({
    at: last,
    pending: [names[3]],
    ledger: mistakes.map(problem),
    differences: [difference],
    accepted: [],
    obsolete: [],
    probes: expect.arrayContaining([{ what, outcome: 'failed', why: expect.any(String) }]),
  })
})

test('pending migrations alone exit 3, and it says that the rest is as it should be', async () => {
  const contract = 'rename_catalog_and_drop_user_agents'
  const { code, stdout } = await cli((await ownDatabase('contracted')).url, 'check')
  expect(code).toBe(3)
  expect(stdout).toMatch(new RegExp(`^database matches ${named(contract)}; \\d+ probes passed\\n`))
  expect(stdout).toContain(
    `${namesAfter(contract).length} migrations pending; \`agents-db status\` lists them\n`,
  )
})

test('where nothing is applied it exits 3, says so, and tries nothing', async () => {
  const { url } = await ownDatabase('stub_old')
  expect(await cli(url, 'check')).toEqual({
    code: 3,
    stdout: `no migration is applied\n${names.length} migrations pending; \`agents-db status\` lists them\n`,
    stderr: '',
  })
  const { code, document } = await cliJson(url, 'check')
  expect({ code, document }).toEqual({
    code: 3,
    document: {
      at: null,
      pending: names,
      ledger: [],
      differences: [],
      accepted: [],
      obsolete: [],
      probes: [],
    },
  })
})
