import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  findServer,
  type LocalServer,
  resetServer,
  startServer,
  stopServer,
} from '../../../src/local/server.ts'
import {
  ask,
  isRunning,
  makeServerDirectory,
  ordinaryUser,
  postmasterPid,
  scratch,
  serverDirectory,
  start,
  startInProcess,
} from '../../support/local.ts'

describe('a local server', () => {
  test('runs on when the process that started it has ended', async () => {
    const directory = await serverDirectory()
    const server = await startInProcess(directory)
    expect(server).toMatchObject({ directory, started: true })
    expect(
      await ask(server.url, sql => sql`select current_user as role, current_database() as database`),
    ).toEqual([{ role: 'postgres', database: 'agents' }])
  })

  test('is found by the next start, which starts nothing', async () => {
    const directory = await serverDirectory()
    const { started, ...first } = await start(directory)
    const pid = await postmasterPid(directory)
    expect(started).toBe(true)
    expect(await start(directory)).toEqual({ ...first, started: false })
    expect(await findServer(directory)).toEqual(first)
    expect(await postmasterPid(directory)).toBe(pid)
  })

  test('keeps its data and its passwords over a stop, and loses both in a reset', async () => {
    const directory = await serverDirectory()
    const first = await start(directory)
    await ask(first.url, sql => sql`create table kept ()`)
    const pid = await postmasterPid(directory)
    expect(await stopServer(directory)).toBe(true)
    expect(await isRunning(pid)).toBe(false)

    const second = await start(directory)
    expect(new URL(second.url).password).toBe(new URL(first.url).password)
    expect(await ask(second.url, sql => sql`select from kept`)).toEqual([])

    const third = await resetServer({ ...scratch, directory })
    expect(third.started).toBe(true)
    expect(new URL(third.url).password).not.toBe(new URL(first.url).password)
    await expect(ask(third.url, sql => sql`select from kept`)).rejects.toMatchObject({ code: '42P01' })
    expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.log'])
  })

  test('that is not there is neither found nor stopped, and looking makes nothing', async () => {
    const directory = await serverDirectory()
    expect(await findServer(directory)).toBeUndefined()
    expect(await stopServer(directory)).toBe(false)
    await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
    await start(directory)
    await stopServer(directory)
    expect(await findServer(directory)).toBeUndefined()
    expect(await stopServer(directory)).toBe(false)
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

  test('takes the port it is given, or says that it took another', async () => {
    const [directory, other] = [await serverDirectory(), await serverDirectory()]
    const { port } = await start(directory)
    const notes: string[] = []
    const second = await startServer({ ...scratch, directory: other, port, onNote: note => notes.push(note) })
    expect(second.port).not.toBe(port)
    expect(notes).toContain(`Port ${port} is taken: the server uses ${second.port}`)

    await stopServer(directory)
    await stopServer(other)
    expect(await startServer({ ...scratch, directory: other, port })).toMatchObject({ port, started: true })
  })

  test('takes settings, and says why it could not start with wrong ones', async () => {
    const directory = await serverDirectory()
    const settings = { ...scratch.settings, 'app.odd': `it's "$(odd)" \\ %` }
    const server = await startServer({ directory, port: 0, settings })
    expect(
      await ask(
        server.url,
        sql => sql`select current_setting('fsync') as fsync, current_setting('app.odd') as odd`,
      ),
    ).toEqual([{ fsync: 'off', odd: settings['app.odd'] }])
    await stopServer(directory)
    await expect(startServer({ directory, port: 0, settings: { fsyncc: 'off' } })).rejects.toThrow(
      /FATAL: {2}unrecognized configuration parameter "fsyncc"[\s\S]*Its log is .*postgres\.log/,
    )
  })

  test('serves under paths with spaces, quotes, dollars and more than 107 bytes', async () => {
    const directory = join(await serverDirectory(), `it's "$HOME" ; `, 'long'.repeat(30))
    const server = await startServer({ ...scratch, directory })
    expect(await ask(server.url, sql => sql`select 1 as one`)).toEqual([{ one: 1 }])
    await stopServer(directory)
  })
})

describe('nobody else gets in', () => {
  let server: LocalServer
  beforeAll(async () => {
    const { directory, remove } = await makeServerDirectory()
    server = await start(directory)
    return remove
  })

  test('files belong to an ordinary user and are closed to others', async () => {
    const { uid } = await ordinaryUser()
    for (const [path, mode] of [
      ['.', 0o700],
      ['postgres', 0o700],
      ['postgres/data', 0o700],
      ['postgres/passwords.json', 0o600],
      ['postgres.log', 0o600],
    ] as const) {
      const stats = await stat(join(server.directory, path))
      expect([path, stats.uid, stats.mode & 0o777]).toEqual([path, uid, mode])
    }
    expect(await readdir(join(server.directory, 'postgres'))).toEqual(['data', 'passwords.json'])
  })

  test('a wrong password is refused, the right one is not; TCP on this machine is the only way in', async () => {
    for (const right of [server.url, server.adminUrl]) {
      const wrong = new URL(right)
      wrong.password = 'postgres'
      await expect(ask(wrong.href, sql => sql`select 1`)).rejects.toMatchObject({ code: '28P01' })
      expect(await ask(right, sql => sql`select 1 as one`)).toEqual([{ one: 1 }])
    }
    expect(
      await ask(
        server.adminUrl,
        sql => sql`
          select current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as sockets,
                 (select array_agg(distinct auth_method) from pg_hba_file_rules) as methods`,
      ),
    ).toEqual([{ listen: '127.0.0.1', sockets: '', methods: ['scram-sha-256'] }])
  })

  test('postgres is no superuser, supabase_admin is', async () => {
    const isSuperuser = (url: string) =>
      ask(url, sql => sql`select rolsuper from pg_roles where rolname = current_user`)
    expect(await isSuperuser(server.url)).toEqual([{ rolsuper: false }])
    expect(await isSuperuser(server.adminUrl)).toEqual([{ rolsuper: true }])
  })

  test('every new database has the Supabase stub, the same encoding and the same order', async () => {
    await ask(server.url, sql => sql`create database another`)
    const another = new URL(server.url)
    another.pathname = '/another'
    expect(
      await ask(
        another.href,
        sql => sql`
          select to_regclass('auth.users')::text as users, pg_encoding_to_char(encoding) as encoding,
                 datlocprovider as provider, datlocale as locale, pg_get_userbyid(datdba) as owner
          from pg_database where datname = current_database()`,
      ),
    ).toEqual([
      { users: 'auth.users', encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', owner: 'postgres' },
    ])
  })
})
