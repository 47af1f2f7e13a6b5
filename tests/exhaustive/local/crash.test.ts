import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dataDirectory } from '../../../src/local/directory.ts'
import { isRoot } from '../../../src/local/programs.ts'
import { findServer, stopServer } from '../../../src/local/server.ts'
import {
  answerOf,
  answers,
  ask,
  launch,
  postmasterPid,
  serverDirectory,
  start,
  until,
} from '../../support/local.ts'
import { sample } from '../../support/sample.ts'

const cases: Record<string, () => Promise<void>> = {
  'a server killed while busy starts again once its last process is gone, with what was committed':
    async () => {
      const directory = await serverDirectory()
      const { url, adminUrl } = await start(directory)
      await ask(url, async sql => {
        // Unlike pg_sleep, a busy loop does not notice that the server is gone until something interrupts it.
        await sql`set statement_timeout = 1500`
        await sql`create table kept ()`
        const busy = expect(sql`select count(*) from generate_series(1, 1e12)`.execute()).rejects.toThrow()
        const activity = (other: typeof sql) =>
          other`select from pg_stat_activity where query like '%1e12%' and pid <> pg_backend_pid()`
        await ask(adminUrl, other => until(async () => (await activity(other))[0]))
        process.kill(await postmasterPid(directory), 'SIGKILL')
        await until(async () => (await findServer(directory)) === undefined)
        expect((await start(directory)).started).toBe(true)
        expect(await readFile(dataDirectory(directory).log, 'utf8')).toContain('is still in use')
        await busy
      })
      expect(await answerOf((await start(directory)).url)`select from kept`).toEqual([])
    },

  'a pid file is no obstacle when another process has its number, even a PostgreSQL, which stays':
    async () => {
      const [directory, other] = [await serverDirectory(), await serverDirectory()]
      const neighbour = await start(other)
      await start(directory)
      const file = join(dataDirectory(directory).data, 'postmaster.pid')
      // The server's user, or PostgreSQL would not care; nor would it if this were its parent.
      const { uid, gid } = await stat(file)
      const sleep = spawn('sleep', ['60'], isRoot() ? { uid, gid } : {})
      onTestFinished(() => void sleep.kill())
      for (const pid of [sleep.pid, await postmasterPid(other)]) {
        const text = await readFile(file, 'utf8')
        await stopServer(directory)
        await writeFile(file, text.replace(/^\d+/, String(pid)))
        expect(await findServer(directory)).toBeUndefined()
        expect(await stopServer(directory)).toBe(false)
        expect((await start(directory)).started).toBe(true)
      }
      expect(sleep.exitCode ?? sleep.signalCode).toBeNull()
      expect(await answers(neighbour.url)).toEqual([{ one: 1 }])
    },
}

test.for(sample('crash', Object.entries(cases), 1))('%s', ([, proves]) => proves())

/** What appears in the data directory at that moment. */
const moments: Record<string, RegExp> = {
  'before initdb': /tmp/,
  'during initdb': /tmp.*PG_VERSION/,
  'while the Supabase stub is installed': /tmp.*postmaster\.pid/,
  'while the server starts': /postgres\/data\/postmaster\.pid/,
}

test.for(sample('crash of a first start', Object.entries(moments), 1))(
  'a first start killed %s leaves nothing behind after the next',
  async ([, moment]) => {
    const directory = await serverDirectory()
    const { path } = dataDirectory(directory)
    const { child, server } = await launch(directory)
    server.catch(() => {})
    // Before anything is awaited: on a slow machine it may have ended by then.
    const ended = once(child, 'exit')
    await until(async () => (await readdir(path, { recursive: true })).some(name => moment.test(name)))
    child.kill('SIGKILL')
    await ended

    expect(await answers((await start(directory)).url)).toEqual([{ one: 1 }])
    expect((await readdir(path)).filter(name => !['port', 'postgres.log'].includes(name))).toEqual([
      'postgres',
    ])
  },
)
