import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql as raw } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readMigrations } from '../../../src/migrations/files.ts'
import {
  type Lock,
  type LockMode,
  MigrationError,
  packagedMigrations,
  planMigration,
} from '../../../src/migrations/index.ts'
import { ensureLedger, record } from '../../../src/migrations/ledger.ts'
import { runCli } from '../../support/cli.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { fill } from '../../support/rows.ts'
import { connect } from '../../support/templates.ts'

/** Of which the later is the stronger. */
const modes: LockMode[] = [
  'access share',
  'row share',
  'row exclusive',
  'share update exclusive',
  'share',
  'share row exclusive',
  'exclusive',
  'access exclusive',
]

/** The names of tables and views, as a plan has them, by their number. */
async function relations(sql: postgres.Sql): Promise<Map<number, string>> {
  const rows = await sql<{ oid: number; name: string }[]>`
    select c.oid::int, format('%s.%s', n.nspname, c.relname) as name
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm') and c.relpersistence = 'p'
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`
  return new Map(rows.map(({ oid, name }) => [oid, name.toLowerCase().replaceAll(' ', '_')]))
}

/** Runs a statement, in a transaction of its own that nothing else locks anything in; says what it locked of `there`. */
async function locksTaken(
  sql: postgres.Sql,
  statement: string,
  there: Map<number, string>,
): Promise<Record<string, LockMode>> {
  const names = await relations(sql)
  const held = await sql.begin(async tx => {
    await tx`select set_config('search_path', 'public', true)`
    await tx.unsafe(statement)
    return await tx<{ relation: number; mode: LockMode }[]>`
      select relation::int, lower(regexp_replace(left(mode, -4), '(?<!^)([A-Z])', ' \\1', 'g')) as mode
        from pg_catalog.pg_locks
       where pid = pg_backend_pid() and locktype = 'relation'`
  })
  const strongest: Record<string, LockMode> = {}
  for (const mode of modes) {
    for (const lock of held) {
      const name = names.get(lock.relation)
      if (lock.mode === mode && name !== undefined && there.has(lock.relation)) strongest[name] = mode
    }
  }
  return strongest
}

const byTable = (locks: Lock[]) => Object.fromEntries(locks.map(({ table, mode }) => [table, mode]))

/** Statements of our own whose every lock must be named as it is, and no stronger. */
const exact = /^(?:--.*\n|\s)*(?:(?:create|drop|alter) (?!function)(?!.*cascade)|select from|comment)/i
/** They lock as a reader does, from PostgreSQL 18 on. */
const grants = /^(?:--.*\n|\s)*(?:grant|revoke)/i

/**
 * Runs every pending statement for real. What the plan says of it must not be weaker than what it locks, whether the
 * plan was made before the first migration, from the text of those before, or right before its own.
 */
async function expectNoWeakerPlan(
  { db, sql }: TestDatabase,
  options: { online?: boolean; folder?: string } = {},
): Promise<number> {
  const { folder, online } = { folder: packagedMigrations(), online: false, ...options }
  const ahead = await planMigration(db, { folder })
  let compared = 0
  await ensureLedger(db)
  for (const migration of readMigrations(folder)) {
    const planned = ahead.find(({ name }) => name === migration.name)
    if (!planned) continue
    const [late] = await planMigration(db, { folder, to: migration.name })
    for (const [i, { file, statements }] of planned.scripts.entries()) {
      if (file === 'online.sql' && !online) continue
      let there = await relations(sql)
      for (const [j, { sql: text, line, locks }] of statements.entries()) {
        const place = `${migration.name}/${file}, line ${line}: ${text}`
        if (/^create index concurrently /m.test(text)) {
          await sql.unsafe(text)
          expect(locks, place).toEqual([{ mode: 'share update exclusive', table: expect.any(String) }])
          continue
        }
        // Within one transaction, all that an online step locks stays locked until it has been looked at.
        if (file === 'online.sql') there = await relations(sql)
        const truth = await locksTaken(sql, text.replaceAll('commit;', ''), there)
        for (const claim of [byTable(locks), byTable(late!.scripts[i]!.statements[j]!.locks)]) {
          if (options.folder === undefined && exact.test(text)) expect(claim, place).toEqual(truth)
          if (grants.test(text))
            expect(
              locks.every(({ mode }) => mode === 'access share'),
              place,
            ).toBe(true)
          const weaker = Object.entries(truth).filter(
            ([table, mode]) => modes.indexOf(claim[table]!) < modes.indexOf(mode),
          )
          expect({ place, weaker, claim }).toEqual({ place, weaker: [], claim })
        }
        compared += Object.keys(truth).length
      }
    }
    await record(db, migration)
  }
  return compared
}

describe('what PostgreSQL locks is never more than the plan says', () => {
  test('on a fresh database', async () => {
    const database = await ownDatabase('stub_old')
    expect(await expectNoWeakerPlan(database)).toBeGreaterThan(50)
  })

  test.for([false, true])('on a filled baseline, online steps: %s', async online => {
    const database = await ownDatabase('baseline')
    await fill(database.admin, { users: 100, memories: 1000 })
    expect(await expectNoWeakerPlan(database, { online })).toBeGreaterThan(50)
  })

  test('whatever else a migration may hold', async () => {
    const database = await ownDatabase('today')
    const folder = await folderWith({
      '29990101000000_make_a_shop': shop,
      '29990101000001_change_it': changes,
    })
    expect(await expectNoWeakerPlan(database, { folder })).toBeGreaterThan(50)
  })
})

/** The packaged migrations and more, of one or more statements each. */
async function folderWith(more: Record<string, string[]>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agents-db-plan-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp(packagedMigrations(), folder, { recursive: true })
  for (const [name, statements] of Object.entries(more)) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'migration.sql'), statements.join('\n--> statement-breakpoint\n'))
  }
  return folder
}

const shop = [
  'create schema shop',
  'create table shop.parents (id int primary key, code text unique)',
  `create table "shop"."children" (
     id int primary key,
     near_id int references shop.parents on delete cascade,
     far_id int,
     note text,
     constraint children_far foreign key (far_id) references shop.parents (id) on update cascade on delete cascade
   )`,
  'create table shop.log (what text)',
  'create index children_note on shop.children (note)',
  `create function shop.keep() returns trigger language plpgsql as
   $$ begin insert into shop.log values ('; drop table shop.parents'); return null; end; $$`,
  'create trigger keep after insert or update or delete on shop.children for each row execute function shop.keep()',
  'create view shop.codes as select id, code from shop.parents -- where true; drop table shop.log',
  "insert into shop.parents select n, n::text from generate_series(1, 9) n; insert into shop.children values (1, 1, 2, 'x'), (2, 2, 1, '')",
]

const changes = [
  'select from shop.children where id = 1',
  'select from shop.children where id = 1 for update',
  "insert into shop.children values (3, 3, 3, 'y')",
  'insert into shop.children (id, far_id) select id, id from shop.parents where id > 7',
  'update shop.children set far_id = 4 where id = 3',
  "insert into shop.children values (3, 3, 3, 'z') on conflict (id) do update set note = excluded.note",
  'merge into shop.children c using shop.parents p on c.id = p.id when matched then update set note = p.code',
  'delete from shop.codes where id = 6',
  'create table shop."Odd Name" (id int references shop.parents, constraint "odd key" unique (id))',
  'alter table shop."Odd Name" add column "select" int',
  'create index "odd index" on shop."Odd Name" ("select")',
  'select "select" from shop."Odd Name"',
  'drop index shop."odd index"',
  'drop table shop."Odd Name"',
  "update shop.codes set code = 'z' where id = 9",
  'update shop.parents set id = 40 where id = 4',
  'with gone as (delete from shop.children where id = 8 returning far_id) insert into shop.log select far_id::text from gone',
  'delete from shop.parents where id = 1',
  'alter table shop.children add constraint children_id foreign key (id) references shop.parents (id) not valid',
  'alter table shop.children validate constraint children_id',
  'alter table shop.children rename constraint children_id to children_same',
  'alter table shop.children drop constraint children_same',
  'alter table shop.children add check (id > 0), alter column note set default (1, 2)::text, disable trigger keep',
  'alter table shop.children enable trigger keep',
  'alter table shop.children add column log_id int unique, add column third_id uuid references public.llms (id)',
  'alter table shop.children alter column far_id type bigint',
  'alter table shop.children rename column far_id to away_id',
  'alter table shop.children drop column away_id',
  'alter table shop.children drop column near_id',
  'alter table shop.children enable row level security',
  'alter index shop.children_note rename to children_text',
  'reindex index shop.children_text',
  'create index on shop.log (what)',
  'drop index shop.children_text',
  "comment on table shop.log is 'update shop.parents set id = 1'",
  "comment on column shop.log.what is ''",
  'grant select on shop.log, shop.parents to anon',
  'revoke all on all tables in schema shop from anon',
  'lock table shop.log in share mode',
  'create policy mine on shop.children for update using (exists (select from shop.parents p where p.id = children.id))',
  'alter policy mine on shop.children rename to "its own"',
  'drop policy "its own" on shop.children',
  'create or replace view shop.codes as select id, code from shop.parents p where not exists (select from shop.log)',
  'create materialized view shop.kept as select * from shop.parents',
  'refresh materialized view shop.kept',
  'drop materialized view shop.kept',
  'do $$ begin if false then return; else update shop.children set note = 1; end if; end $$',
  'do language plpgsql $x$ begin if true then alter table shop.log add column n int; end if; perform 1 from shop.parents; end $x$',
  'create or replace function shop.count_all() returns bigint language sql as $$ select count(*) from shop.parents $$',
  'select shop.count_all()',
  'create table shop.twins (like shop.parents)',
  'create table shop.copies as select * from shop.parents',
  'create table shop.heirs (n int) inherits (shop.log)',
  'create table shop.parted (n int) partition by range (n)',
  'drop trigger keep on shop.children',
  'create trigger keep before insert on shop.children for each row execute function shop.keep()',
  'drop function shop.keep() cascade',
  'alter table shop.parents rename to "elders"',
  'select from shop.elders',
  'truncate shop.log',
  'truncate shop.elders cascade',
  'alter table shop.children add foreign key (id) references shop.elders (id) not valid',
  'alter table shop.elders drop constraint parents_pkey cascade',
  'drop view shop.codes',
  'alter table shop.elders add primary key (id)',
  'alter table shop.children add foreign key (id) references shop.elders (id) not valid',
  'drop table shop.elders cascade',
  'drop table if exists shop.children, shop.nothing',
  'drop schema shop cascade',
]

describe('the plan says how many rows are moved', () => {
  /** By the first words of each statement that moves any. */
  const moves = async ({ db }: TestDatabase) => {
    const plan = await planMigration(db, { to: 'archive_what_users_own' })
    const { statements } = plan.at(-1)!.scripts.at(-1)!
    return statements.flatMap(({ sql, rows }) =>
      rows === undefined ? [] : [[/^(?!--).+/m.exec(sql)?.[0], rows]],
    )
  }

  test('as last analysed, and that it does not know before', async () => {
    const database = await ownDatabase('baseline')
    const { admin } = database
    for (const table of ['user_agents', 'memories', 'profiles'])
      await admin`alter table ${admin(table)} set (autovacuum_enabled = false)`
    await fill(admin, { users: 200, memories: 3000 })
    const expected = (agents: number | null, memories: number | null, profiles: number | null) => [
      ['insert into archive.user_agents', agents],
      ['insert into archive.memory_agents (memory_id, agent_id)', memories],
      ['insert into archive.profile_settings (profile_id, settings)', profiles],
      ['select archive.repair_settings();', profiles],
      ['insert into archive.profiles (id)', profiles],
    ]
    expect(await moves(database)).toEqual(expected(null, null, null))
    await admin`analyze`
    const [count] = await admin`select count(*)::int as agents from public.user_agents`
    expect(count!.agents).toBeGreaterThan(400)
    expect(await moves(database)).toEqual(expected(count!.agents, 3000, 200))
  })

  test('and nothing where none are', async () => {
    const database = await ownDatabase('baseline')
    const plan = await planMigration(database.db)
    const all = plan.flatMap(({ scripts }) => scripts.flatMap(({ statements }) => statements))
    for (const { sql } of all.filter(({ rows }) => rows !== undefined))
      expect(sql).toMatch(/^(insert|delete|update|with|select archive\.|do )/m)
  })
})

describe('the plan writes nothing', () => {
  test.for(['stub_old', 'baseline', 'today'])('to %s, and needs no transaction id', async template => {
    const database = await ownDatabase(template)
    await database.db.transaction(async tx => {
      await planMigration(tx)
      expect(await tx.execute(raw`select pg_current_xact_id_if_assigned() as id`)).toEqual([{ id: null }])
    })
    await database.db.transaction(tx => planMigration(tx), { accessMode: 'read only' })
  })

  test('and can be made by who may read the ledger and no other table', async () => {
    const database = await ownDatabase('baseline')
    const { admin, name } = database
    const role = `${name}_reader`
    await admin.unsafe(`
      create role ${role} login password 'reader';
      alter role ${role} set default_transaction_read_only = on;
      grant usage on schema drizzle to ${role};
      grant select on drizzle.__drizzle_migrations to ${role};`)
    onTestFinished(async () => {
      await admin.unsafe(`drop owned by ${role}; drop role ${role}`)
    })
    const url = new URL(database.url)
    url.username = role
    url.password = 'reader'
    const reader = connect(url.href)
    onTestFinished(() => reader.end())
    await expect(reader`select from public.llms`).rejects.toMatchObject({ code: '42501' })
    expect(await planMigration(drizzle({ client: reader }))).toEqual(await planMigration(database.db))
  })

  test('and refuses what migrate would refuse', async () => {
    const database = await ownDatabase('today')
    await database.sql`update drizzle.__drizzle_migrations set hash = 'other' where id = 1`
    await expect(planMigration(database.db)).rejects.toMatchObject({ code: 'EDITED' })
    await expect(planMigration(database.db, { to: 'nowhere' })).rejects.toThrow(MigrationError)
    const folder = await folderWith({ '29990101000000_commit': ['select 1; commit'] })
    await database.sql`delete from drizzle.__drizzle_migrations`
    await expect(planMigration(database.db, { folder })).rejects.toMatchObject({
      code: 'TRANSACTION_CONTROL',
    })
  })
})

describe('migrate --plan', () => {
  test('prints each statement below what it locks and moves, on a fresh database, and makes nothing', async () => {
    const database = await ownDatabase('stub_old')
    const env = { DATABASE_URL: database.url }
    const { code, stdout } = await runCli(['migrate', '--plan'], { env })
    expect(code).toBe(0)
    for (const { name, up, upOnline } of readMigrations(packagedMigrations())) {
      expect(stdout).toContain(`-- ${name}/migration.sql\n`)
      for (const { sql } of [...up.statements, ...(upOnline?.statements ?? [])]) expect(stdout).toContain(sql)
    }
    expect(stdout).toMatch(
      /^-- statement \d+ of \d+, line \d+: access exclusive on public\.memories, public\.user_agents\n(--.*\n|\n)*ALTER TABLE "memories" DROP CONSTRAINT "fk_memories_agent_id";/m,
    )
    expect(await database.sql`select to_regnamespace('drizzle') as ledger`).toEqual([{ ledger: null }])

    const { stdout: json } = await runCli(
      ['migrate', '--plan', '--to', 'secure_the_agent_tables', '--json'],
      { env },
    )
    expect(JSON.parse(json).plan).toHaveLength(2)
  })

  test('names the rows as far as they are known', async () => {
    const database = await ownDatabase('baseline')
    await fill(database.admin, { users: 100, memories: 1000 })
    await database.admin`analyze public.memories`
    const { stdout } = await runCli(['migrate', '--plan'], { env: { DATABASE_URL: database.url } })
    expect(stdout).toMatch(/^-- statement .*: .*row share on public\.memories; about 1000 rows$/m)
  })

  test('says that there is nothing to migrate', async () => {
    const database = await ownDatabase('today')
    const result = await runCli(['migrate', '--plan'], { env: { DATABASE_URL: database.url } })
    expect(result).toMatchObject({ code: 0, stdout: 'nothing to migrate\n' })
  })
})
