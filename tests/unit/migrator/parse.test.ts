import { expect, test } from 'vitest'
import { readMigrations, type Script } from '../../../src/migrator/files.ts'
import { refuseTransactionControl } from '../../../src/migrator/parse.ts'
import { folderOf } from '../../support/folder.ts'

const name = '20260101000000_begin'

/** Refuses what ends the transaction in a migration of that text, up or down. */
async function refuse(text: string, file: Script['file'] = 'migration.sql'): Promise<void> {
  const files = { 'migration.sql': 'select 1;', [file]: text }
  const [migration] = readMigrations(await folderOf({ [name]: files }))
  await refuseTransactionControl(file === 'migration.sql' ? migration!.up : migration!.down!)
}

const words = [
  ['COMMIT', 'commit;'],
  ['COMMIT', 'COMMIT WORK AND CHAIN;'],
  ['COMMIT', 'commit'],
  ['ROLLBACK', 'rollback;'],
  ['BEGIN', 'begin;'],
  ['BEGIN', 'Begin isolation level serializable;'],
  ['COMMIT', 'end;'],
  ['ROLLBACK', 'abort;'],
  ['START', 'start transaction;'],
  ['PREPARE', "prepare transaction 'x';"],
  ['COMMIT', 'select 1; commit; select 2;'],
  ['COMMIT', '/* a comment */ commit /* another */;'],
  ['COMMIT', "/* don't */ select 'x'; commit;"],
  ['COMMIT', '/* -- /* old */ */ commit;'],
  ['COMMIT', "select ';'; commit"],
  ['COMMIT', 'do $$ begin perform 1; end $$; commit;'],
  ['COMMIT', 'do $a$ begin perform $b$ ; $b$; end $a$; commit;'],
  ['COMMIT', 'create function public.f() returns int language sql begin atomic select 1; end; end;'],
] as const

test.for(words)('%s is refused, with its place: %s', async ([word, sql]) => {
  const up = `-- Two lines\n-- of why.\n\nselect 1;\n--> statement-breakpoint\n-- more\n${sql}`
  await expect(refuse(up)).rejects.toMatchObject({
    code: 'TRANSACTION_CONTROL',
    message: expect.stringMatching(
      `^${name}/migration\\.sql, line 7: ${word} .*in online\\.sql.*Nothing was run`,
    ),
  })
  await expect(refuse(`select 1;\n--> statement-breakpoint\n${sql}`, 'down.sql')).rejects.toMatchObject({
    code: 'TRANSACTION_CONTROL',
    message: expect.stringMatching(
      `^${name}/down\\.sql, line 3: ${word} .*in down\\.online\\.sql.*Nothing was run`,
    ),
  })
})

test('the line is that of the word, below comments, strings and other statements of several lines', async () => {
  const up = "-- One.\n\nselect 1; /* two\nthree */ select '\n\n';\n\n  prepare\n transaction 'x'"
  await expect(refuse(up)).rejects.toThrow('migration.sql, line 8: PREPARE is not allowed')
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

test.for(Object.entries(harmless))('%s may hold such words', async ([, sql]) => {
  await refuse(sql)
  await refuse(sql, 'down.sql')
})
