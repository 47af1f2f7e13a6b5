import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject } from 'vitest'
import { packagedMigrations } from '../../src/migrate.ts'
import { type Migration, readMigrations, type Script } from '../../src/migrator/files.ts'
import { ensureLedger } from '../../src/migrator/ledger.ts'
import { readCatalog } from './catalog.ts'
import { compiled } from './compiled.ts'
import { createDatabase, signUp, type TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { ownDirectory } from './folder.ts'
import { applicationName, fatal, type Step, takeStep } from './migrator.ts'
import { type Rows, readRows } from './rows.ts'
import { createTemplate } from './templates.ts'

const separator = '\n--> statement-breakpoint\n'

const sayWhen = `raise info '${fatal}';`
const waitForTheCut = `${sayWhen} perform pg_sleep(3600);`

/** Where a migration is interrupted, by a statement of one of its scripts. */
export interface Position {
  file: Script['file']
  /** From 1. */
  statement: number
  when: 'after' | 'after the first commit within' | 'while an index is built by'
}

/** A migration on one way, with a template of the state that it begins in. */
export interface Passage {
  migration: Migration
  step: Step
  template: string
  before: State
  after: State
  online: string
}

interface State {
  catalog: string[]
  rows: Rows
}

const migrations = readMigrations(packagedMigrations())

export function scriptsOf(name: string, way: Step['way']): Script[] {
  const { up, upOnline, down, downOnline, downCheck } = migrations.find(found => found.name === name)!
  const scripts = way === 'up' ? [upOnline, up] : [downCheck, downOnline, down]
  return scripts.filter(script => script !== undefined)
}

export function isOnline({ file }: { file: Script['file'] }): boolean {
  return file.endsWith('online.sql')
}

/** After every statement of a script, and in the middle of one that commits on its way. */
export function positionsIn({ file, statements }: Script): Position[] {
  return statements.flatMap(({ sql }, index) => {
    const at = (when: Position['when']): Position => ({ file, statement: index + 1, when })
    const within: Position[] = /^\s*commit;$/m.test(sql)
      ? [at('after the first commit within')]
      : /^create index concurrently/m.test(sql)
        ? [at('while an index is built by')]
        : []
    return [...within, at('after')]
  })
}

/** Brings a database to where the migration begins, and learns where it ends when nothing interrupts it. */
export async function preparePassage(name: string, way: Step['way'], from: string): Promise<Passage> {
  const index = migrations.findIndex(found => found.name === name)
  const previous = migrations[index - 1]?.name
  const template = `passage_${way}_${index}`
  await createTemplate(inject('run'), template, from, async ({ url }) => {
    if (way === 'down') await takeStep(url, { way: 'up', to: name })
    else if (previous) await takeStep(url, { way: 'up', to: previous })
  })
  const step: Step = { way, to: way === 'up' ? name : previous }
  const [before, after] = await onDatabase(template, async database => {
    const first = await readState(database)
    await takeStep(database.url, step)
    return [first, await readState(database)]
  })
  const online = scriptsOf(name, way)
    .filter(isOnline)
    .flatMap(({ statements }) => statements.map(({ sql }) => sql))
    .join('\n')
  return { migration: migrations[index]!, step, template, before, after, online }
}

export async function onDatabase<T>(
  template: string,
  work: (database: TestDatabase) => Promise<T>,
): Promise<T> {
  const database = await createDatabase(template)
  try {
    return await work(database)
  } finally {
    await database.drop()
  }
}

/** The package's migrations, in which one is interrupted at that position by that statement. */
async function interruptedAt(
  { migration, step }: Passage,
  { file, statement, when }: Position,
  by: string,
): Promise<string> {
  const folder = await ownDirectory()
  for (const name of await readdir(packagedMigrations())) {
    const original = join(packagedMigrations(), name)
    if (name !== migration.name) await symlink(original, join(folder, name))
    else {
      await mkdir(join(folder, name))
      await cp(original, join(folder, name), { recursive: true })
    }
  }
  const { statements } = scriptsOf(migration.name, step.way).find(script => script.file === file)!
  const texts = statements.map(({ sql }) => sql)
  const index = statement - 1
  // Of several indexes, this one alone is to wait.
  for (let i = 0; i < index; i++) texts[i] = texts[i]!.replace('index concurrently', 'index')
  if (when === 'after') texts.splice(index + 1, 0, `do $by$ begin ${by} end $by$`)
  else texts[index] = texts[index]!.replace(/^\s*commit;$/m, `commit;\n${by}`)
  await writeFile(join(folder, migration.name, file), texts.join(separator))
  return folder
}

/** The server cuts the migrator's connections at that position. */
export async function cutAt(
  passage: Passage,
  position: Position,
  { url, admin }: TestDatabase,
): Promise<void> {
  if (position.when.startsWith('while')) return await cutDuringBuild(passage, position, { url, admin })
  const folder = await interruptedAt(passage, position, waitForTheCut)
  const taken = takeStep(url, { ...passage.step, folder }, message => {
    if (message === fatal) cutConnections(admin)
  })
  await expect(taken).rejects.toThrow()
  await connectionsEnd(admin)
}

/** An index is built for as long as there is a transaction that began before it. */
async function cutDuringBuild(
  passage: Passage,
  position: Position,
  { url, admin }: Pick<TestDatabase, 'url' | 'admin'>,
): Promise<void> {
  const folder = await interruptedAt(passage, position, '')
  await admin.begin('isolation level repeatable read', async older => {
    await older`select count(*) from auth.users`
    const taken = expect(takeStep(url, { ...passage.step, folder })).rejects.toThrow()
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
  const step = { ...passage.step, folder: await interruptedAt(passage, position, sayWhen) }
  const args = [await compiled('tests/support/migrator.ts'), url, JSON.stringify(step)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  await connectionsEnd(admin)
}

/** The server cuts the migrator's connections once the ledger is written, in the commit itself. */
export async function cutAtCommit({ step }: Passage, { url, admin, db }: TestDatabase): Promise<void> {
  await ensureLedger(db, {})
  await admin.unsafe(`
    create function drizzle.cut() returns trigger language plpgsql
      as $$ begin ${waitForTheCut} return null; end $$;
    create constraint trigger cut after insert or delete on drizzle.__drizzle_migrations
      deferrable initially deferred for each row execute function drizzle.cut()`)
  const taken = takeStep(url, step, message => {
    if (message === fatal) cutConnections(admin)
  })
  await expect(taken).rejects.toThrow()
  await connectionsEnd(admin)
  await admin`drop function drizzle.cut() cascade`
}

function cutConnections(admin: TestDatabase['admin']): PromiseLike<unknown> {
  return admin`select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = ${applicationName}`.then()
}

async function connectionsEnd(admin: TestDatabase['admin']): Promise<void> {
  const connections = () =>
    admin`select from pg_stat_activity where datname = current_database() and application_name = ${applicationName}`
  await eventually(connections).toHaveLength(0)
}

/** A sign-up works, and nothing of the migration is there. */
export async function expectUntouched({ before }: Passage, database: TestDatabase): Promise<void> {
  await signsUp(database)
  expect(await readState(database)).toEqual(before)
}

/** A sign-up works; there is what was there before and will be afterwards, and what the online part makes on its way. */
export async function expectOnTheWay(
  { before, after, online }: Passage,
  database: TestDatabase,
): Promise<void> {
  await signsUp(database)
  const known = new Set([...before.catalog, ...after.catalog])
  const strange = (await readState(database)).catalog.filter(fact => !known.has(fact))
  // An index that is not valid yet, a constraint not proven yet.
  const begun = (fact: string) =>
    (fact.match(/\w+/g) ?? []).some(word => word.length > 10 && online.includes(word))
  expect(strange.filter(fact => !begun(fact))).toEqual([])
}

/** The same command goes on, and ends where it would have ended. */
export async function expectRerun({ step, after }: Passage, database: TestDatabase): Promise<void> {
  await takeStep(database.url, step)
  expect(await readState(database)).toEqual(after)
}

async function readState({ admin }: TestDatabase): Promise<State> {
  return {
    catalog: await readCatalog(admin),
    rows: await readRows(admin, ['public', 'auth', 'archive']),
  }
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
