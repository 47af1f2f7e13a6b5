import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { migrate, rollback, status } from '../../src/migrations/index.ts'
import { createDatabase, ownDatabase, type TestDatabase } from '../support/database.ts'

const [base, middle, last] = [
  '20260101000000_begin',
  '20260102000000_go_on',
  '20260103000000_be_done',
] as const

/** Three migrations, harmless but for what the last one does up, or the middle one down. */
async function folderWith({ up = 'select 1;', down = 'select 1;' }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agents-db-migrations-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const scripts = {
    [base]: ['select 1;', 'select 1;'],
    [middle]: ['select 1;', down],
    [last]: [up, 'select 1;'],
  }
  for (const [name, [migration = '', back = '']] of Object.entries(scripts)) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'migration.sql'), migration)
    await writeFile(join(folder, name, 'down.sql'), back)
  }
  return folder
}

let fresh: TestDatabase
let applied: TestDatabase

beforeAll(async () => {
  fresh = await createDatabase('standin_old')
  applied = await createDatabase('standin_old')
  const folder = await mkdtemp(join(tmpdir(), 'agents-db-migrations-'))
  for (const name of [base, middle, last]) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'migration.sql'), 'select 1;')
  }
  await migrate(applied.db, { folder })
  await rm(folder, { recursive: true })
})
afterAll(() => Promise.all([fresh.drop(), applied.drop()]))

const words = [
  ['COMMIT', 'commit;'],
  ['COMMIT', 'COMMIT WORK AND CHAIN;'],
  ['COMMIT', 'commit'],
  ['ROLLBACK', 'rollback;'],
  ['BEGIN', 'begin;'],
  ['BEGIN', 'Begin isolation level serializable;'],
  ['END', 'end;'],
  ['ABORT', 'abort;'],
  ['START', 'start transaction;'],
  ['PREPARE', "prepare transaction 'x';"],
  ['COMMIT', 'select 1; commit; select 2;'],
  ['COMMIT', '/* a comment */ commit /* another */;'],
  ['COMMIT', "/* don't */ select 'x'; commit;"],
  ['COMMIT', '/* -- /* old */ */ commit;'],
  ['COMMIT', "select ';'; commit"],
  ['COMMIT', 'do $$ begin perform 1; end $$; commit;'],
  ['COMMIT', 'do $a$ begin perform $b$ ; $b$; end $a$; commit;'],
  ['END', 'create function public.f() returns int language sql begin atomic select 1; end; end;'],
] as const

test.for(words)('%s in a migration.sql is refused before anything runs: %s', async ([word, sql]) => {
  const up = `-- Two lines\n-- of why.\n\nselect 1;\n--> statement-breakpoint\n-- more\n${sql}`
  const folder = await folderWith({ up })
  await expect(migrate(fresh.db, { folder })).rejects.toMatchObject({
    code: 'TRANSACTION_CONTROL',
    message: expect.stringMatching(`^${last}/migration\\.sql, line 7: ${word} .*Nothing was run`),
  })
  expect(await fresh.admin`select to_regnamespace('drizzle') as ledger`).toEqual([{ ledger: null }])
})

test.for(words)('%s in a down.sql is refused before anything is undone: %s', async ([word, sql]) => {
  const folder = await folderWith({ down: `select 1;\n--> statement-breakpoint\n${sql}` })
  await expect(rollback(applied.db, { folder, to: base })).rejects.toMatchObject({
    code: 'TRANSACTION_CONTROL',
    message: expect.stringMatching(`^${middle}/down\\.sql, line 3: ${word} .*Nothing was run`),
  })
  expect((await status(applied.db, { folder })).applied).toHaveLength(3)
})

test('the line is that of the word, below comments, strings and other statements of several lines', async () => {
  const up = "-- One.\n\nselect 1; /* two\nthree */ select '\n\n';\n\n  prepare\n transaction 'x'"
  await expect(migrate(fresh.db, { folder: await folderWith({ up }) })).rejects.toThrow(
    'migration.sql, line 8: PREPARE would end',
  )
})

const harmless = {
  'the body of a block': 'do $$ begin perform 1; end; $$;',
  'a body with a tag, in lines': 'do $body$\nbegin\n  perform $q$commit;$q$;\nend;\n$body$;',
  'a string': "select 'x; commit; end;', 'it''s; commit;';",
  'an identifier': 'create table public."a; commit; b" ("end;" int); drop table public."a; commit; b";',
  'a comment': 'select 1; -- ; commit;\n/* ;\ncommit; */ select 2;',
  'a name that begins so': 'create table public.commits (ending int); drop table public.commits;',
  'an expression': 'select case when true then 1\nend;',
  'a `begin atomic` body':
    'create function public.f() returns int language sql begin atomic select 1; select 2; end; drop function public.f();',
  'the body of a procedure':
    'create procedure public.p() language plpgsql as $$ begin commit; end; $$; drop procedure public.p();',
}

test.for(Object.entries(harmless))('%s may hold such words, up and down', async ([, sql]) => {
  const database = await ownDatabase('standin_old')
  const folder = await folderWith({ up: sql, down: sql })
  expect((await migrate(database.db, { folder })).applied).toHaveLength(3)
  expect((await rollback(database.db, { folder, to: base })).undone).toHaveLength(2)
})
