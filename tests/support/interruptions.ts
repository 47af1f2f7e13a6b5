import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import { expect, inject } from 'vitest'
import { packagedMigrations } from '../../src/migrate.ts'
import { readMigrations, type Script } from '../../src/migrator/files.ts'
import { ensureLedger } from '../../src/migrator/ledger.ts'
import { type State, stateOf } from './catalog.ts'
import { compiled } from './compiled.ts'
import { createDatabase, signUp, type TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { copyOfMigrations } from './folder.ts'
import { names } from './migrations.ts'
import { applicationName, fatal, type Step, takeStep } from './migrator.ts'
import { createTemplate } from './templates.ts'

const sayWhen = `raise info '${fatal}';`
const waitForTheCut = `${sayWhen} perform pg_sleep(3600);`

/** Where a migration is interrupted, by a statement of one of its scripts. */
export interface Position {
  file: Script['file']
  /** From 1. */
  statement: number
  when: 'after' | 'after the first batch of' | 'while an index is built by'
}

/** A migration on one way, with a template of the state that it begins in. */
export interface Passage {
  name: string
  step: Step
  template: string
  before: State
  after: State
}

export function scriptsOf(name: string, way: Step['way']): Script[] {
  const { up, upOnline, down, downOnline, downCheck } = readMigrations(packagedMigrations()).find(
    migration => migration.name === name,
  )!
  const scripts = way === 'up' ? [upOnline, up] : [downCheck, downOnline, down]
  return scripts.filter(script => script !== undefined)
}

export function isOnline({ file }: { file: Script['file'] }): boolean {
  return file.endsWith('online.sql')
}

/** After every statement of a script, and in the middle of one that runs in batches. */
export function positionsIn({ file, statements }: Script): Position[] {
  return statements.flatMap(({ sql }, index) => {
    const at = (when: Position['when']): Position => ({ file, statement: index + 1, when })
    if (sql.includes('-- @batches ')) return [at('after the first batch of'), at('after')]
    if (/^create index concurrently/m.test(sql)) return [at('while an index is built by'), at('after')]
    return [at('after')]
  })
}

const read = (database: TestDatabase) => stateOf(database, ['public', 'auth', 'archive'])

/** Brings a database to where the migration begins, and learns where it ends when nothing interrupts it. */
export async function preparePassage(name: string, way: Step['way'], from: string): Promise<Passage> {
  const previous = names[names.indexOf(name) - 1]
  const template = `passage_${way}_${names.indexOf(name)}`
  const start = way === 'down' ? name : previous
  await createTemplate(inject('run'), template, from, async ({ url }) => {
    if (start) await takeStep(url, { way: 'up', to: start })
  })
  const step: Step = { way, to: way === 'up' ? name : previous }
  const database = await createDatabase(template)
  const before = await read(database)
  await takeStep(database.url, step)
  const after = await read(database)
  await database.drop()
  return { name, step, template, before, after }
}

/** The migration's step with the package's migrations, in which it is interrupted at that position by that statement. */
async function interruptedAt(passage: Passage, position: Position, by: string): Promise<Step> {
  const { file, statement, when } = position
  const folder = await copyOfMigrations()
  const script = scriptsOf(passage.name, passage.step.way).find(script => script.file === file)!
  const texts = script.statements.map(({ sql }) => sql)
  const index = statement - 1
  // Of several indexes, this one alone is to wait.
  for (let i = 0; i < index; i++) texts[i] = texts[i]!.replace('index concurrently', 'index')
  if (when === 'after') texts.splice(index + 1, 0, `do $by$ begin ${by} end $by$`)
  else if (when === 'after the first batch of') {
    const script = `${passage.name}/${file} ${statement}`
    texts[index] += `;
      do $by$ begin
        if exists (select from drizzle.__drizzle_migrations_progress where script = '${script}') then ${by} end if;
      end $by$`
  }
  await writeFile(join(folder, passage.name, file), texts.join('\n--> statement-breakpoint\n'))
  return { ...passage.step, folder }
}

const connectionLost = {
  code: 'CONNECTION_LOST',
  message: expect.stringMatching(
    /^\d{14}_\w+.*\n.*\nThe connection to PostgreSQL was lost\. Run the same again/s,
  ),
}

/** The server cuts the migrator's connections when a script says so. */
async function cut(step: Step, { url, admin }: TestDatabase): Promise<void> {
  const taken = takeStep(url, step, message => {
    if (message === fatal) cutConnections(admin)
  })
  await expect(taken).rejects.toMatchObject(connectionLost)
  await connectionsEnd(admin)
}

/** The server cuts the migrator's connections at that position. */
export async function cutAt(passage: Passage, position: Position, database: TestDatabase): Promise<void> {
  if (!position.when.startsWith('while'))
    return await cut(await interruptedAt(passage, position, waitForTheCut), database)
  const { url, admin } = database
  const step = await interruptedAt(passage, position, '')
  // An index is built for as long as there is a transaction that began before it.
  await admin.begin('isolation level repeatable read', async older => {
    await older`select count(*) from auth.users`
    const taken = expect(takeStep(url, step)).rejects.toMatchObject(connectionLost)
    const building = () =>
      admin`select from pg_stat_progress_create_index where datname = current_database() and lockers_total > 0`
    await eventually(building).toHaveLength(1)
    await cutConnections(admin)
    await taken
  })
  await connectionsEnd(admin)
}

/** The migrator's process dies at that position. */
export async function killAt(
  passage: Passage,
  position: Position,
  { url, admin }: TestDatabase,
): Promise<void> {
  const step = await interruptedAt(passage, position, sayWhen)
  const args = [await compiled('tests/support/migrator.ts'), url, JSON.stringify(step)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  await connectionsEnd(admin)
}

/** The server cuts the migrator's connections once the ledger is written, in the commit itself. */
export async function cutAtCommit({ step }: Passage, database: TestDatabase): Promise<void> {
  await ensureLedger(database.db, {})
  await database.admin.unsafe(`
    create function drizzle.cut() returns trigger language plpgsql
      as $$ begin ${waitForTheCut} return null; end $$;
    create constraint trigger cut after insert or delete on drizzle.__drizzle_migrations
      deferrable initially deferred for each row execute function drizzle.cut()`)
  await cut(step, database)
  await database.admin`drop function drizzle.cut() cascade`
}

function cutConnections(admin: postgres.Sql): PromiseLike<unknown> {
  return admin`select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = ${applicationName}`.then()
}

async function connectionsEnd(admin: postgres.Sql): Promise<void> {
  const connections = () =>
    admin`select from pg_stat_activity where datname = current_database() and application_name = ${applicationName}`
  await eventually(connections).toHaveLength(0)
}

/** A sign-up works, and nothing of the migration is there. */
export async function expectUntouched({ before }: Passage, database: TestDatabase): Promise<void> {
  await signsUp(database)
  expect(await read(database)).toEqual(before)
}

/** A sign-up works; there is what was there before and will be afterwards, and what the online part makes on its way. */
export async function expectOnTheWay(
  { name, step, before, after }: Passage,
  database: TestDatabase,
): Promise<void> {
  await signsUp(database)
  const known = new Set([...before.catalog, ...after.catalog])
  const online = scriptsOf(name, step.way)
    .filter(isOnline)
    .flatMap(({ statements }) => statements.map(({ sql }) => sql))
    .join('\n')
  // An index that is not valid yet, a constraint not proven yet.
  const begun = (fact: string) =>
    (fact.match(/\w+/g) ?? []).some(word => word.length > 10 && online.includes(word))
  const { catalog } = await read(database)
  expect(catalog.filter(fact => !known.has(fact) && !begun(fact))).toEqual([])
}

/** The same command goes on, and ends where it would have ended. */
export async function expectRerun({ step, after }: Passage, database: TestDatabase): Promise<void> {
  await takeStep(database.url, step)
  expect(await read(database)).toEqual(after)
}

/** Somebody signs up, and leaves again. */
async function signsUp({ admin }: TestDatabase): Promise<void> {
  const id = await signUp(admin)
  const [there] = await admin`select to_regclass('public.profiles') is not null as profiles`
  if (there?.profiles) {
    expect(await admin`select username from public.profiles where id = ${id}`).toEqual([{ username: id }])
  }
  await admin`delete from auth.users where id = ${id}`
}
