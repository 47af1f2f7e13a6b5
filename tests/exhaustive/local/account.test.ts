import { chown, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dataDirectory } from '../../../src/local/directory.ts'
import { readPidFile } from '../../../src/local/postmaster.ts'
import { findPrograms, isRoot, packagedPrograms, run, SHARED } from '../../../src/local/programs.ts'
import { findServer, resetServer, startServer, stopServer } from '../../../src/local/server.ts'
import { compiled } from '../../support/compiled.ts'
import { answers, scratch, serverDirectory, start, startInProcess, until } from '../../support/local.ts'
import { sample } from '../../support/sample.ts'

const cases: Record<string, () => Promise<void>> = {
  'data of another major version, or without its passwords, is refused until a reset': async () => {
    const directory = await serverDirectory()
    const { cluster, data } = dataDirectory(directory)
    await start(directory)
    await stopServer(directory)
    await writeFile(join(data, 'PG_VERSION'), '16\n')
    await expect(start(directory)).rejects.toThrow(/PostgreSQL 16 created .* and this is 17: .*db reset/)
    expect((await resetServer({ ...scratch, directory })).started).toBe(true)

    await rm(join(cluster, 'passwords.json'))
    await expect(findServer(directory)).rejects.toThrow(/passwords\.json is missing or damaged: .*db reset/)
    await stopServer(directory)
    await expect(start(directory)).rejects.toThrow(/passwords\.json is missing or damaged: .*db reset/)
    expect((await resetServer({ ...scratch, directory })).started).toBe(true)
  },
}

/** An ordinary user: that of root's server or, without root, of this process. */
const { account: user } = await findPrograms(packagedPrograms())

const asUser: typeof cases = {
  'an ordinary user runs a server in a directory with spaces, quotes, dollars and 107 bytes or more':
    async () => {
      const parent = dirname(await serverDirectory())
      await chown(parent, user.uid ?? -1, user.gid ?? -1)
      const directory = join(parent, `it's "$HOME" ; `, 'long'.repeat(30), '.data')
      const server = await startInProcess(directory, user)
      onTestFinished(async () => {
        const data = join(directory, 'postgres/data')
        process.kill((await readPidFile(data))!.pid, 'SIGINT')
        await until(async () => (await readPidFile(data)) === undefined)
      })
      expect(server).toMatchObject({ directory, started: true, notes: [] })
      expect(await startInProcess(directory, user)).toEqual({ ...server, started: false })
      expect(await answers(server.url)).toEqual([{ one: 1 }])
      const { uid, mode } = await stat(directory)
      expect([uid, mode & 0o777]).toEqual([user.uid ?? process.getuid?.(), 0o700])
    },

  'an ordinary user learns which directory it cannot write to, and what to do': async () => {
    const directory = await serverDirectory(0o555)
    await expect(startInProcess(directory, user)).rejects.toThrow(
      `PostgreSQL cannot run with its data in ${directory}: EACCES: permission denied, mkdir '${directory}'. ` +
        'Run this as an ordinary user of this machine, or set DATABASE_URL to a server.',
    )
  },
}

const asRoot: typeof cases = {
  'a user without a passwd entry learns what to do, in one line': async () => {
    const directory = await serverDirectory(0o777)
    await expect(startInProcess(directory, { uid: 12345, gid: 12345 })).rejects.toThrow(
      /^PostgreSQL cannot run .* 12345.*does not exist\. Add the user to \/etc\/passwd \(useradd --uid 12345 NAME\), or set DATABASE_URL.*\n$/,
    )
  },

  'root keeps the data elsewhere, and says so when it starts, also where its account cannot enter':
    async () => {
      const directory = await serverDirectory(0o700)
      const notes: string[] = []
      const options = { ...scratch, directory, onNote: (note: string) => notes.push(note) }
      const { started, ...server } = await startServer(options)
      expect(started).toBe(true)
      expect(server.directory).toMatch(/^\/var\/lib\/agents-db\/[0-9a-f]{12}$/)
      await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
      expect(await answers(server.url)).toEqual([{ one: 1 }])
      expect(await findServer(directory)).toEqual(server)
      expect(await startServer(options)).toEqual({ ...server, started: false })
      const note = `PostgreSQL cannot run as root: it runs as agents-db, with its data in ${server.directory}`
      expect(notes).toEqual([note])
      // Not even processes of nobody can read what is in it.
      const { data } = dataDirectory(directory)
      const { uid, mode } = await stat(data)
      expect([uid, mode & 0o77]).toEqual([user.uid, 0])
      const users = await readFile('/etc/passwd', 'utf8')
      expect(users).toMatch(new RegExp(`^agents-db:[^:]*:${uid}:.*nologin$`, 'm'))
      // An account that was made anew has another number.
      await stopServer(directory)
      await run('chown', ['-R', 'nobody', data], {})
      expect(await answers((await startServer(options)).url)).toEqual([{ one: 1 }])
      notes.pop()
      expect(notes).toEqual([note])
      expect(await stopServer(directory)).toBe(true)
    },

  'root runs a copy of programs that its account cannot run, which only root can change': async () => {
    const before = await readdir(SHARED)
    const directory = await serverDirectory(0o700)
    const programs = join(dirname(directory), `it's "hidden"`)
    await cp(packagedPrograms(), programs, { recursive: true, verbatimSymlinks: true })
    expect(await answers((await startServer({ ...scratch, directory, programs })).url)).toEqual([{ one: 1 }])

    const command = await readFile(join(dataDirectory(directory).data, 'postmaster.opts'), 'utf8')
    const [copy = '', name = ''] = /^\/var\/lib\/agents-db\/(postgresql-17\.\d+)/.exec(command) ?? []
    if (!before.includes(name)) onTestFinished(() => rm(copy, { recursive: true }))
    const changeable = ['(', '!', '-user', 'root', '-o', '!', '-type', 'l', '-perm', '/022', ')']
    expect(await run('find', [copy, ...changeable], {})).toBe('')
  },
}

const script = await compiled('tests/support/start-server.ts')
const userCanRun = await run(process.execPath, ['--check', script], user).then(
  () => true,
  () => false,
)
Object.assign(cases, userCanRun && asUser, isRoot() && userCanRun && asRoot)

test.for(sample('account', Object.entries(cases), 2))('%s', ([, proves]) => proves())
