import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, inject } from 'vitest'
import { readMigrations } from '../../src/migrations/files.ts'
import { packagedMigrations } from '../../src/migrations/index.ts'
import { readCatalog } from './catalog.ts'
import { compiled } from './compiled.ts'
import { createDatabase, type TestDatabase } from './database.ts'
import { applicationName, type Step, takeStep } from './migrator.ts'
import { type Rows, readRows } from './rows.ts'
import { createTemplate } from './templates.ts'

/** Interrupts a step at its nth statement; resolves when the server has noticed. */
export type Interruption = (database: TestDatabase, step: Step, nth: number) => Promise<void>

const migrations = readMigrations(packagedMigrations())

/** The migrator's process dies. */
export const killProcess: Interruption = async ({ url, admin }, step, nth) => {
  const args = [compiled('tests/support/migrator.ts'), url, JSON.stringify(step), String(nth)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [, signal] = await once(child, 'exit')
  expect(signal).toBe('SIGKILL')
  await connectionsEnd(admin)
}

/** Its connections are cut by the server. */
export const cutConnections: Interruption = async ({ url, admin, name }, step, nth) => {
  let cut: Promise<unknown> | undefined
  const outcome = takeStep(url, step, n => {
    if (n !== nth) return
    cut = admin`select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = ${name} and application_name = ${applicationName}`
  })
  // The last statements may be answered before the cut.
  await outcome.catch(error => expect(String(error)).not.toContain('SQLSTATE 4'))
  expect(cut).toBeDefined()
  await cut
  await connectionsEnd(admin)
}

async function connectionsEnd(admin: TestDatabase['admin']): Promise<void> {
  await expect
    .poll(
      () => admin`select 1 from pg_stat_activity
                   where datname = current_database() and application_name = ${applicationName}`,
      { timeout: 10_000, interval: 5 },
    )
    .toHaveLength(0)
}

interface State {
  catalog: string[]
  rows: Rows
}

/**
 * Interrupts a step at each of its statements, on a database of its own each time, which begins as the template `from`
 * brought further by `prepare`. Afterwards a sign-up works; the
 * database is in the state before or after the step, or where its online part has begun, at a point from which a plain
 * rerun finishes; and the rerun ends where an uninterrupted step does.
 *
 * @returns at how many statements it was interrupted
 */
export async function interruptEverywhere(
  migration: string,
  label: string,
  step: Step,
  from: string,
  prepare: Step | undefined,
  interrupt: Interruption,
  { everything }: { everything: boolean },
): Promise<number> {
  const run = inject('run')
  const template = `cut_${process.pid}_${label}`
  await createTemplate(run, template, from, async ({ url }) => {
    if (prepare) await takeStep(url, prepare, () => {})
  })
  const onDatabase = async <T>(work: (database: TestDatabase) => Promise<T>): Promise<T> => {
    const database = await createDatabase(template)
    try {
      return await work(database)
    } finally {
      await database.drop()
    }
  }

  const sent: string[] = []
  const [before, after] = await onDatabase(async database => {
    const first = await readState(database)
    await takeStep(database.url, step, (_, sql) => {
      sent.push(sql)
    })
    return [first, await readState(database)]
  })
  const online = readOnline(migration, step)

  const statements = sent.length
  // What comes before the migration's own statements is the same for all: once is enough.
  const own = new Set(scriptsOf(migration, step))
  const first = everything ? 0 : sent.findIndex(sql => own.has(sql))
  const positions = sent.map((_, index) => index + 1).slice(first)
  await Promise.all(
    // Two at a time.
    [positions.filter(n => n % 2 === 1), positions.filter(n => n % 2 === 0)].map(async half => {
      for (const nth of half) {
        await onDatabase(async database => {
          await interrupt(database, step, nth)
          const where = `${migration} ${step.way}, statement ${nth} of ${statements}`
          await signsUp(database, where)
          const state = await readState(database)
          if (online === undefined) {
            const applied = JSON.stringify(state) === JSON.stringify(after)
            expect(state, where).toEqual(applied ? after : before)
          } else {
            const strange = state.catalog.filter(
              fact => !before.catalog.includes(fact) && !after.catalog.includes(fact),
            )
            expect(
              strange.filter(fact => !isOfOnline(fact, online)),
              where,
            ).toEqual([])
          }
          await takeStep(database.url, step, () => {})
          expect(await readState(database), where).toEqual(after)
        })
      }
    }),
  )
  return positions.length
}

async function readState({ admin }: TestDatabase): Promise<State> {
  return {
    catalog: await readCatalog(admin, { archive: true }),
    rows: await readRows(admin, ['public', 'auth', 'archive']),
  }
}

async function signsUp({ admin }: TestDatabase, where: string): Promise<void> {
  await admin
    .begin(async tx => {
      await tx`set local role supabase_auth_admin`
      const [user] =
        await tx`insert into auth.users (id, email) values (gen_random_uuid(), 'x@example.test') returning id`
      await tx`reset role`
      const [there] = await tx`select to_regclass('public.profiles') is not null as profiles`
      if (there?.profiles) {
        expect(await tx`select username from public.profiles where id = ${user?.id}`, where).toEqual([
          { username: 'x' },
        ])
      }
      throw new Undone()
    })
    .catch(error => {
      if (!(error instanceof Undone)) throw error
    })
}

class Undone extends Error {}

function scriptsOf(name: string, { way }: Step): string[] {
  const migration = migrations.find(found => found.name === name)
  const scripts =
    way === 'up'
      ? [migration?.upOnline, migration?.up]
      : [migration?.downCheck, migration?.downOnline, migration?.down]
  return scripts.flatMap(script => script?.statements.map(({ sql }) => sql) ?? [])
}

function readOnline(name: string, { way }: Step): string | undefined {
  const migration = migrations.find(found => found.name === name)
  const script = way === 'up' ? migration?.upOnline : migration?.downOnline
  return script?.statements.map(({ sql }) => sql).join('\n')
}

/** An index that is not valid yet, a constraint not proven yet: what an online part leaves on its way. */
function isOfOnline(fact: string, online: string): boolean {
  return (fact.match(/\w+/g) ?? []).some(word => word.length > 10 && online.includes(word))
}
