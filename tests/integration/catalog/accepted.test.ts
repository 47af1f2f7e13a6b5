import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { expect, test } from 'vitest'
import type { Database } from '../../../src/database.ts'
import { type AcceptedDifference, adopt, check, hasDrift, migrate } from '../../../src/migrate.ts'
import { runCli } from '../../support/cli.ts'
import { ownDatabase, sharedDatabase, undone } from '../../support/database.ts'
import { ownDirectory } from '../../support/folder.ts'
import { baseline, last, named } from '../../support/migrations.ts'
import { readCases } from '../../support/sql-cases.ts'

const today = sharedDatabase('today')
const empty = sharedDatabase('stub_old')
const wanted = readCases(new URL('wanted.sql', import.meta.url))

/** What `check` finds, to be accepted for a reason or none. */
async function differences(db: Database, why?: string): Promise<AcceptedDifference[]> {
  const found = (await check(db)).differences
  return found.map(({ message, ...difference }) => ({ ...difference, ...(why && { why }) }))
}

test.for(wanted)('%s is accepted without a reason, and listed', async ([, { group, sql: change }]) => {
  const before = group === 'before'
  await undone(drizzle({ client: (before ? empty : today).admin }), async tx => {
    if (!before) await tx.execute(sql.raw(change))
    else {
      await tx.execute(sql.raw(`${change} set local role agents_deployer`))
      await migrate(tx)
    }
    const accepted = await differences(tx)
    expect(accepted).not.toEqual([])
    const report = await check(tx, { accepted })
    expect(report).toMatchObject({ differences: [], accepted, obsolete: [] })
    expect(hasDrift(report)).toBe(false)

    await tx.execute(sql`alter table public.memories add column another text`)
    expect((await check(tx, { accepted })).differences).toMatchObject([{ fact: 'column another' }])
  })
})

test.for([
  ['a grant to a client', 'grant select on public.memories to anon'],
  ['a grant of a column to everybody', 'grant select (content) on public.memories to public'],
  [
    'a view that anon may read',
    'create view public.v as select 1 from public.memories; grant select on public.v to anon',
  ],
  ['a further policy', 'create policy own on public.memories for select to authenticated using (false)'],
  ['a changed policy', 'alter policy anon_select_llms on public.llms to authenticated'],
  ['a role that is a member', 'grant pg_monitor to anon'],
  ['a parent', 'create table public.p (like public.memories); alter table public.memories inherit public.p'],
  ['a lost constraint', 'alter table public.memories drop constraint chk_memories_memory_type'],
  ['a column of another type', 'alter table public.memories alter status type text'],
  ['a function of its caller', 'alter function public.create_profile_for_new_user() security invoker'],
  ['a rule', 'create rule r as on delete to public.memories do also select 1'],
  ['forced row level security', 'alter table public.memories force row level security'],
])('%s is accepted only for a reason', async ([, change]) => {
  await undone(drizzle({ client: today.admin }), async tx => {
    await tx.execute(sql.raw(change!))
    const accepted = await differences(tx)
    const [first] = accepted
    const refused = await check(tx, { accepted })
    expect(refused).toMatchObject({ differences: accepted, accepted: [] })
    expect(refused.differences[0]?.message).toMatch(/; to accept it, say why$/)
    expect((await check(tx, { accepted: [{ ...first!, why: ' \n' }] })).accepted).toEqual([])
    const why = 'our statistics'
    expect(await check(tx, { accepted: [{ ...first!, why }] })).toMatchObject({
      accepted: [{ ...first, why }],
    })
  })
})

test('what is accepted is exact: another state of the same is drift, and what is gone is said', async () => {
  await undone(drizzle({ client: today.admin }), async tx => {
    await tx.execute(sql`grant select on public.memories to supabase_auth_admin`)
    const accepted = await differences(tx)
    await tx.execute(sql`grant insert on public.memories to supabase_auth_admin`)
    const more = await check(tx, { accepted })
    expect(more).toMatchObject({
      differences: [{ found: 'INSERT, SELECT' }],
      accepted: [],
      obsolete: accepted,
    })
    await tx.execute(sql`revoke all on public.memories from supabase_auth_admin`)
    const gone = await check(tx, { accepted })
    expect(gone).toMatchObject({ differences: [], accepted: [], obsolete: accepted })
    expect(hasDrift(gone)).toBe(false)
  })
})

test('a failed probe is never accepted', async () => {
  await undone(drizzle({ client: today.admin }), async tx => {
    await tx.execute(sql`alter policy anon_select_memories on public.memories using (true)`)
    const report = await check(tx, { accepted: await differences(tx, 'we want it') })
    expect(report).toMatchObject({ differences: [], accepted: [{ fact: 'policy anon_select_memories' }] })
    expect(hasDrift(report)).toBe(true)
  })
})

test('adopt honours what is accepted, and lists it', async () => {
  const { admin, db } = await ownDatabase('built')
  await admin`alter table public.memories add column theirs text`
  const error = await adopt(db).catch(error => error)
  const accepted = error.cause.map(({ object, fact, expected, found }: AcceptedDifference) => ({
    object,
    fact,
    expected,
    found,
  }))
  expect(accepted).toMatchObject([{ fact: 'column theirs', expected: null, found: 'text' }])
  expect(await adopt(db, { accepted })).toMatchObject({
    at: named(baseline),
    recorded: { length: 2 },
    accepted,
  })
})

const FILE = 'drizzle.accepted.json'

test('check --accept writes the file that check and adopt then read', async () => {
  const at = await ownDatabase('today')
  const cwd = await ownDirectory()
  const file = join(cwd, FILE)
  const run = (...args: string[]) => runCli(args, { cwd, env: { DATABASE_URL: at.url } })
  await at.admin`alter table public.memories add column theirs text`
  await at.admin`grant select on public.memories to anon`
  expect(await run('check')).toMatchObject({ code: 4 })

  const first = await run('check', '--accept')
  expect(first.code).toBe(4)
  expect(first.stdout).toMatch(/^accepted: column theirs on table public\.memories should not exist: text$/m)
  expect(first.stdout).toMatch(
    /^catalog: anon has SELECT on table public\.memories.*; to accept it, say why$/m,
  )

  const entries = JSON.parse(await readFile(file, 'utf8'))
  expect(entries).toHaveLength(2)
  await writeFile(file, JSON.stringify(entries.map((entry: object) => ({ ...entry, why: 'the map' }))))
  const { code, stdout } = await run('check')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^accepted: anon has SELECT on .* \(the map\)$/m)
  expect(stdout).toContain(`database matches ${last}`)
  expect(JSON.parse((await run('check', '--json')).stdout)).toMatchObject({
    differences: [],
    accepted: { length: 2 },
  })

  await at.admin`revoke select on public.memories from anon`
  const gone = await run('check')
  expect(gone.code).toBe(0)
  expect(gone.stdout).toMatch(/^accepted, but not there: grants to anon on table public\.memories$/m)

  await at.admin`drop schema drizzle cascade`
  await rm(file)
  expect(await run('adopt', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('column theirs'),
  })
  const adopted = await run('adopt', '--yes', '--accept')
  expect(adopted).toMatchObject({ code: 0, stdout: expect.stringContaining('accepted: column theirs') })
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject([{ fact: 'column theirs', why: '' }])
})

test.for([
  ['no JSON', '{', /drizzle\.accepted\.json: .*JSON/],
  ['no list', '{}', /entry 1: give object, fact, expected and found/],
  ['an entry without found', '[{"object":"a","fact":"b","expected":null}]', /entry 1: give/],
  [
    'a word too many',
    '[{"object":"a","fact":"b","expected":null,"found":"c","because":""}]',
    /entry 1: give/,
  ],
  [
    'a reason that is no text',
    '[{"object":"a","fact":"b","expected":null,"found":"c","why":1}]',
    /entry 1: give/,
  ],
] as const)(
  'a file with %s is one clear error, and nothing is asked of the database',
  async ([, text, says]) => {
    const cwd = await ownDirectory()
    await writeFile(join(cwd, FILE), text)
    const { code, stdout, stderr } = await runCli(['check'], { cwd, env: { DATABASE_URL: today.url } })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(says)
  },
)
