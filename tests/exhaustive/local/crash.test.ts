import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findServer, stopServer } from '../../../src/local/server.ts'
import {
  ask,
  isRunning,
  postmasterPid,
  serverDirectory,
  start,
  startInProcess,
  until,
} from '../../support/local.ts'
import { sample } from '../../support/sample.ts'

async function crash(directory: string): Promise<void> {
  const pid = await postmasterPid(directory)
  process.kill(pid, 'SIGKILL')
  await until(async () => !(await isRunning(pid)))
}

const answers = (url: string) => ask(url, sql => sql`select 1 as one`)

const cases: Record<string, () => Promise<void>> = {
  'a server that was killed starts again, with what was committed': async () => {
    const directory = await serverDirectory()
    const first = await start(directory)
    await ask(first.url, sql => sql`create table kept ()`)
    await crash(directory)
    const second = await start(directory)
    expect(second.started).toBe(true)
    expect(await ask(second.url, sql => sql`select from kept`)).toEqual([])
  },

  'a server that was killed while busy starts again once its last process is gone': async () => {
    const directory = await serverDirectory()
    const first = await start(directory)
    await ask(first.url, async sql => {
      // Unlike pg_sleep, a busy loop does not notice that the server is gone until something interrupts it.
      await sql`set statement_timeout = 1500`
      const busy = expect(sql`select count(*) from generate_series(1, 1e12)`.execute()).rejects.toThrow()
      await ask(first.adminUrl, other =>
        until(async () => {
          const [row] =
            await other`select from pg_stat_activity where query like '%1e12%' and pid <> pg_backend_pid()`
          return row
        }),
      )
      await crash(directory)
      expect((await start(directory)).started).toBe(true)
      expect(await readFile(join(directory, 'postgres.log'), 'utf8')).toContain('is still in use')
      await busy
    })
  },

  'a pid file whose number another process has by now is no obstacle': async () => {
    const directory = await serverDirectory()
    await start(directory)
    const file = join(directory, 'postgres/data/postmaster.pid')
    const text = await readFile(file, 'utf8')
    await stopServer(directory)
    // Not this process nor its parents: PostgreSQL would know those for what they are.
    const other = spawn('sleep', ['60'])
    onTestFinished(() => void other.kill())
    await writeFile(file, text.replace(/^\d+/, String(other.pid)))

    expect(await findServer(directory)).toBeUndefined()
    expect(await stopServer(directory)).toBe(false)
    expect(other.exitCode ?? other.signalCode).toBeNull()
    const server = await start(directory)
    expect(server.started).toBe(true)
    expect(await answers(server.url)).toEqual([{ one: 1 }])
  },

  'a pid file whose number another PostgreSQL has by now is no obstacle, and that one stays': async () => {
    const [directory, other] = [await serverDirectory(), await serverDirectory()]
    await start(directory)
    const file = join(directory, 'postgres/data/postmaster.pid')
    const text = await readFile(file, 'utf8')
    await stopServer(directory)
    const neighbour = await start(other)
    await writeFile(file, text.replace(/^\d+/, String(await postmasterPid(other))))

    expect(await stopServer(directory)).toBe(false)
    expect((await start(directory)).started).toBe(true)
    expect(await answers(neighbour.url)).toEqual([{ one: 1 }])
  },
}

test.for(sample('crash', Object.entries(cases), 1))('%s', ([, proves]) => proves())

const moments: Record<string, (temporary: string) => Promise<unknown>> = {
  'before initdb': (temporary: string) => stat(temporary),
  'during initdb': (temporary: string) => stat(join(temporary, 'data/PG_VERSION')),
  'while the first server starts': (temporary: string) => stat(join(temporary, 'data/postmaster.pid')),
  'while the Supabase stub is installed': async (temporary: string) =>
    (await readFile(join(temporary, 'first.log'), 'utf8')).includes('ready to accept') || undefined,
}

test.for(sample('crash of a first start', Object.entries(moments), 1))(
  'a first start killed %s leaves nothing behind after the next',
  async ([, reached]) => {
    const directory = await serverDirectory()
    const processes: ChildProcess[] = []
    const first = startInProcess(directory, { onProcess: child => processes.push(child) })
    first.catch(() => {})
    const temporary = await until(async () => (await readdir(directory)).find(name => name.includes('.tmp-')))
    await until(() => reached(join(directory, temporary)))
    const [child] = processes
    child!.kill('SIGKILL')
    await once(child!, 'exit')

    const server = await start(directory)
    expect(server.started).toBe(true)
    expect(await answers(server.url)).toEqual([{ one: 1 }])
    expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.log'])
  },
)
