import { beforeEach, expect, test } from 'vitest'
import { check, hasDrift, migrate, rollback } from '../../../src/migrate.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { last } from '../../support/migrations.ts'
import { ledgerNames } from '../../support/rows.ts'
import { everythingOf, furtherMigration, idea } from './further-migration.ts'

const further = furtherMigration()
const { write } = further
const script = (...statements: string[]) => statements.join(';\n--> statement-breakpoint\n')
const partly = 'Parts of the online script may be done and are safe to run again.'
const committed =
  'What this statement did is committed: undo it, and mend the script. The next run would take it for what was there before.'

const opens = 'create policy own on public.memories using (true)'
const opened = 'no policy opens public.memories: own lets clients through'
const inBatches = '-- @batches public.memories by id\nselect public.open_memories($1, $2)'
const openInBatches = `
  create function public.open_memories(text, text) returns integer language plpgsql as $$
  begin if $1 is not null then ${opens}; end if; return 1; end $$;
  revoke execute on function public.open_memories from public`
const slips = 'do $$ begin create view public.names as select username from public.profiles; commit; end $$'

let at: TestDatabase
beforeEach(async () => {
  at = await ownDatabase('baseline of 6 users and 24 memories')
  await write('', 'online.sql')
  await write('', 'down.online.sql')
  await write('select 1')
  await write('select 1', 'down.sql')
})

test.for<[what: string, statement: string, says: string]>([
  ['a policy', opens, opened],
  [
    'a grant',
    'grant insert on public.llms to anon',
    'anon is granted nothing on public.llms: it holds INSERT',
  ],
  ['a statement in batches', inBatches, opened],
])('%s that opens a table in an online script is undone', async ([, statement, says]) => {
  await at.sql.unsafe(openInBatches)
  await migrate(at.db)
  await write(script('select 1', statement), 'online.sql')
  const error = await migrate(at.db, { folder: further.folder }).catch(error => error)
  expect(error).toMatchObject({ code: 'PROBE_FAILED' })
  const [first, ...lines] = error.message.split('\n')
  expect(first).toMatch(new RegExp(`^${idea}/online.sql: statement 2 of 2, line \\d: \\d+ probes? failed:$`))
  expect(lines).toContain(`  ${says}`)
  expect(lines.at(-1)).toBe(`${partly} The migration is not applied.`)
  expect(hasDrift(await check(at.db))).toBe(false)
})

test('what an online script opens on the way down is undone too, and the migration stays applied', async () => {
  await write(opens, 'down.online.sql')
  await migrate(at.db, { folder: further.folder })
  const before = await everythingOf(at)
  await expect(rollback(at.db, { folder: further.folder })).rejects.toMatchObject({
    code: 'PROBE_FAILED',
    message: expect.stringMatching(new RegExp(`${opened}\n${partly} The migration is still applied.$`)),
  })
  expect(await everythingOf(at)).toEqual(before)
  expect((await ledgerNames(at)).at(-1)).toBe(idea)
})

test.each([
  ['create index concurrently ix_username on public.profiles (username)', 'a sign-up with a long username'],
  [slips, 'anon cannot reach public.names'],
])('what commits by itself is tried afterwards, and said to be committed: %s', async (statement, says) => {
  await write(statement, 'online.sql')
  await expect(migrate(at.db, { folder: further.folder })).rejects.toMatchObject({
    code: 'PROBE_FAILED',
    message: expect.stringMatching(new RegExp(`^${idea}/online.sql.*\n  ${says}.*\n${committed}$`, 's')),
  })
  expect((await ledgerNames(at)).at(-1)).toBe(last)
})

test('what is tried beforehand keeps no transaction open that would hold up autovacuum beside an online script', async () => {
  const held = `do $$ begin
    if exists (select from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and backend_xid is not null) then
      raise 'a transaction that has written is open';
    end if; end $$`
  await migrate(at.db)
  await write(held, 'online.sql')
  const { applied } = await migrate(at.db, { folder: further.folder })
  expect(applied.at(-1)?.name).toBe(idea)
})
