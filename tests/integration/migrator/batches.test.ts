import { expect, test } from 'vitest'
import { type MigrationError, migrate, type Progress } from '../../../src/migrate.ts'
import { databaseForEach } from '../../support/database.ts'
import { folderOf } from '../../support/folder.ts'

const at = databaseForEach('stub_old')
const NIL = '00000000-0000-0000-0000-000000000000'
const MAX = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Counts on each row how often it was visited, in batches, and returns how many rows those were. */
const visit = `-- @batches public.things by id
with visited as (update public.things set visits = visits + 1 where id between $1 and $2 returning 1)
select count(*) as "things visited" from visited;`

const folderWith = (online: string) =>
  folderOf({ '20260101000000_visit': { 'migration.sql': 'select 1;', 'online.sql': online } })

const makeThings = (type: string, ids: string) =>
  at.sql.unsafe(`
    create table public.things (id ${type} primary key, visits int not null default 0);
    insert into public.things (id) ${ids};
    analyze public.things`)

test.each([
  ['no row', 'uuid', `select '${NIL}'::uuid where false`, 0],
  ['the least id alone', 'uuid', `values ('${NIL}'::uuid)`, 1],
  ['the greatest id alone', 'uuid', `values ('${MAX}'::uuid)`, 1],
  [
    'more rows than a batch',
    'uuid',
    `select md5(n::text)::uuid from generate_series(1, 1500) n union values ('${NIL}'::uuid), ('${MAX}')`,
    1502,
  ],
  ['numbers, negative ones among them', 'bigint', 'select n from generate_series(-700, 700) n', 1401],
  ['text with quotes', 'text', `select 'it''s "' || n from generate_series(1, 700) n`, 700],
])('each row is in one batch: %s', async (_, type, ids, count) => {
  await makeThings(type, ids)
  const seen: Progress[] = []
  await migrate(at.db, { folder: await folderWith(visit), onProgress: progress => seen.push(progress) })
  expect(
    await at.sql`select count(*)::int as count, count(*) filter (where visits = 1)::int as once from public.things`,
  ).toEqual([{ count, once: count }])
  expect(seen.at(-1)).toMatchObject({ table: 'public.things', rows: count, done: true })
  expect(seen.at(-1)?.counts).toEqual(count > 0 ? { 'things visited': count } : {})
  expect(seen.filter(({ done }) => done)).toHaveLength(1)
  if (count > 1000) expect(seen.length).toBeGreaterThan(2)
  for (const { total, place } of seen) {
    expect(total).toBe(count)
    expect(place).toBe('20260101000000_visit/online.sql: statement 1 of 1, line 2')
  }
  expect(await at.sql`select to_regclass('drizzle.__drizzle_migrations_progress')::text as progress`).toEqual(
    [{ progress: null }],
  )
})

test('no batch reads what the batches before it have written', async () => {
  await makeThings('int', 'select generate_series(1, 20000)')
  await at.sql.unsafe(`
    create table public.copies (id int primary key, filler text);
    create function public.copy_things(first_id int, last_id int) returns bigint language plpgsql as $$
    begin
      insert into public.copies
      select t.id, repeat('x', 50) from public.things t
       where t.id between first_id and last_id and not exists (select from public.copies c where c.id = t.id);
      return pg_stat_get_xact_tuples_returned('public.copies'::regclass);
    end $$`)
  const copy = '-- @batches public.things by id\nselect public.copy_things($1, $2) as "copies read";'
  const seen: Progress[] = []
  await migrate(at.db, { folder: await folderWith(copy), onProgress: progress => seen.push(progress) })
  expect(await at.sql`select count(*)::int as count from public.copies`).toEqual([{ count: 20_000 }])
  expect(seen.length).toBeGreaterThan(3)
  expect(seen.at(-1)?.counts).toEqual({ 'copies read': 0 })
})

/** Stops at a row in the middle. */
async function interrupt(folder: string): Promise<void> {
  await at.sql.unsafe(`
    create function public.stop() returns trigger language plpgsql as $$
    begin if new.id = 900 then raise 'not now'; end if; return new; end $$;
    create trigger stop before update on public.things for each row execute function public.stop()`)
  const error: MigrationError = await migrate(at.db, { folder }).catch(error => error)
  expect(error).toMatchObject({ code: 'STATEMENT_FAILED', sqlState: 'P0001' })
  expect(error.message).toContain('online.sql: statement 1 of 1, line 2: not now')
  const [row] = await at.sql`select count(*)::int as visited from public.things where visits = 1`
  expect(row?.visited).toBeGreaterThan(0)
  expect(row?.visited).toBeLessThan(900)
  await at.sql`drop function public.stop() cascade`
}

test('a run that was interrupted goes on where it was, and its counts with it', async () => {
  await makeThings('int', 'select generate_series(1, 2000)')
  const folder = await folderWith(visit)
  await interrupt(folder)
  const seen: Progress[] = []
  await migrate(at.db, { folder, onProgress: progress => seen.push(progress) })
  expect(await at.sql`select distinct visits from public.things`).toEqual([{ visits: 1 }])
  expect(seen[0]?.rows).toBeGreaterThan(100)
  expect(seen.at(-1)).toMatchObject({ rows: 2000, done: true, counts: { 'things visited': 2000 } })
})

test('a statement that was edited in between begins anew', async () => {
  await makeThings('int', 'select generate_series(1, 2000)')
  await interrupt(await folderWith(visit))
  await migrate(at.db, { folder: await folderWith(visit.replace('visits + 1', 'visits + 10')) })
  const [row] = await at.sql`select count(*) filter (where visits >= 10)::int as visited from public.things`
  expect(row?.visited).toBe(2000)
})
