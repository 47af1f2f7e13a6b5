import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { dataDirectory } from '../../../src/local/directory.ts'
import { isPostmaster } from '../../../src/local/postmaster.ts'
import { findPrograms, packagedPrograms } from '../../../src/local/programs.ts'
import {
  findServer,
  type LocalServer,
  resetServer,
  startServer,
  stopServer,
} from '../../../src/local/server.ts'
import {
  answerOf,
  ask,
  makeServerDirectory,
  occupy,
  postmasterPid,
  scratch,
  serverDirectory,
  start,
  startInProcess,
} from '../../support/local.ts'

const { settings } = scratch

describe('a local server', () => {
  test('outlives the process that started it, and is found by the next start', async () => {
    const directory = await serverDirectory()
    const { started, notes: _, ...server } = await startInProcess(directory)
    expect(started).toBe(true)
    const pid = await postmasterPid(directory)
    const self = await answerOf(server.url)`select current_user as role, current_database() as database`
    expect(self).toEqual([{ role: 'postgres', database: 'agents' }])
    expect(await start(directory)).toEqual({ ...server, started: false })
    expect(await findServer(directory)).toEqual(server)
    expect(await postmasterPid(directory)).toBe(pid)
  })

  test('keeps data, passwords and port over a stop; a reset keeps the port', async () => {
    const directory = await serverDirectory()
    const first = await start(directory)
    await answerOf(first.url)`create table kept ()`
    const pid = await postmasterPid(directory)
    expect(await stopServer(directory)).toBe(true)
    expect(await isPostmaster(pid, dataDirectory(directory).data)).toBe(false)

    const second = await startServer({ settings, directory })
    expect(second).toEqual(first)
    expect(await answerOf(second.url)`select from kept`).toEqual([])

    const third = await resetServer({ settings, directory })
    expect(third).toMatchObject({ started: true, port: first.port })
    expect(new URL(third.url).password).not.toBe(new URL(first.url).password)
    await expect(answerOf(third.url)`select from kept`).rejects.toMatchObject({ code: '42P01' })
    expect((await readdir(third.directory)).sort()).toEqual(['port', 'postgres', 'postgres.log'])
  })

  test('that does not exist is neither found nor stopped, and looking for it creates nothing', async () => {
    const directory = await serverDirectory()
    const expectNone = async () =>
      expect([await findServer(directory), await stopServer(directory)]).toEqual([undefined, false])
    await expectNone()
    await expect(stat(dataDirectory(directory).path)).rejects.toMatchObject({ code: 'ENOENT' })
    await start(directory)
    await stopServer(directory)
    await expectNone()
  })

  test('stops although somebody is connected', async () => {
    const directory = await serverDirectory()
    const server = await start(directory)
    await ask(server.url, async sql => {
      await sql`select 1`
      const sleeping = expect(sql`select pg_sleep(60)`.execute()).rejects.toThrow()
      expect(await stopServer(directory)).toBe(true)
      await sleeping
    })
  })

  test('remembers the port it was given, uses another while that is taken, and says so', async () => {
    const directory = await serverDirectory()
    const { port, release } = await occupy()
    await expect(startServer({ settings, directory, port })).rejects.toThrow(`Port ${port} is taken`)

    await release()
    const notes: string[] = []
    const onNote = (note: string) => notes.push(note)
    expect(await startServer({ settings, directory, port })).toMatchObject({ port, started: true })
    await startServer({ settings, directory, port: port - 1, onNote })
    expect(notes.pop()).toBe(`The server already runs on port ${port}: stop it to use ${port - 1}`)

    await stopServer(directory)
    const again = await occupy(port)
    const elsewhere = await startServer({ settings, directory, onNote })
    expect(elsewhere.port).not.toBe(port)
    expect(notes.pop()).toBe(`Port ${port} is taken: the server uses ${elsewhere.port}`)

    await stopServer(directory)
    await again.release()
    expect(await startServer({ settings, directory })).toMatchObject({ port, started: true })
  })

  test('takes settings, and says why it could not start with wrong ones', async () => {
    const directory = await serverDirectory()
    const odd = `it's "$(odd)" \\ %`
    const server = await startServer({ directory, port: 0, settings: { ...settings, 'app.odd': odd } })
    const found = await answerOf(
      server.url,
    )`select current_setting('fsync') as fsync, current_setting('app.odd') as odd`
    expect(found).toEqual([{ fsync: 'off', odd }])
    await stopServer(directory)
    await expect(startServer({ directory, port: 0, settings: { fsyncc: 'off' } })).rejects.toThrow(
      /its log is .*postgres\.log\n.*FATAL: {2}unrecognized configuration parameter "fsyncc"/,
    )
  })
})

describe('nobody else gets in', () => {
  let server: LocalServer
  beforeAll(async () => {
    const { directory, remove } = await makeServerDirectory()
    server = await start(directory)
    return remove
  })

  test('files are closed to others, and to nobody, who runs the server of root, but for its own', async () => {
    const { account } = await findPrograms(packagedPrograms())
    const self = process.getuid?.()
    for (const [path, mode, owner] of [
      ['.', account.uid === undefined ? 0o700 : 0o711, self],
      ['postgres', 0o711, self],
      ['postgres/data', 0o700, account.uid ?? self],
      ['postgres/passwords.json', 0o600, self],
      ['postgres.log', 0o600, self],
    ] as const) {
      const stats = await stat(join(server.directory, path))
      expect([path, stats.mode & 0o777, stats.uid]).toEqual([path, mode, owner])
    }
    expect(await readdir(join(server.directory, 'postgres'))).toEqual(['data', 'passwords.json'])
  })

  test('a wrong password is refused; only supabase_admin is a superuser; TCP here is the only way in', async () => {
    for (const [right, rolsuper] of [
      [server.url, false],
      [server.adminUrl, true],
    ] as const) {
      const wrong = new URL(right)
      wrong.password = 'postgres'
      await expect(answerOf(wrong.href)`select 1`).rejects.toMatchObject({ code: '28P01' })
      const role = await answerOf(right)`select rolsuper from pg_roles where rolname = current_user`
      expect(role).toEqual([{ rolsuper }])
    }
    const ways = await answerOf(server.adminUrl)`
        select current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as sockets,
               (select array_agg(distinct auth_method) from pg_hba_file_rules) as methods`
    expect(ways).toEqual([{ listen: '127.0.0.1', sockets: '', methods: ['scram-sha-256'] }])
  })

  test('every new database has the Supabase stub, the same encoding and the same sort order', async () => {
    await answerOf(server.url)`create database another`
    const another = new URL(server.url)
    another.pathname = '/another'
    const found = await answerOf(another.href)`
        select to_regclass('auth.users')::text as users, pg_encoding_to_char(encoding) as encoding,
               datlocprovider as provider, datlocale as locale, pg_get_userbyid(datdba) as owner
        from pg_database where datname = current_database()`
    const expected = {
      users: 'auth.users',
      encoding: 'UTF8',
      provider: 'b',
      locale: 'C.UTF-8',
      owner: 'postgres',
    }
    expect(found).toEqual([expected])
  })
})
