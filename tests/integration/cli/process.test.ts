import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { version } from '../../../src/cli/cli.ts'
import { cli } from '../../support/cli.ts'
import { compiled } from '../../support/compiled.ts'
import { ownDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { named, names, namesAfter } from '../../support/migrations.ts'
import { run } from '../../support/process.ts'
import { ledgerNames } from '../../support/rows.ts'

const main = await compiled('src/cli/main.ts')

/** Starts the command in a process of its own. */
const start = (url: string, ...args: string[]) =>
  spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH, DATABASE_URL: url } })

test('the process ends with the exit code, the document on stdout and messages on stderr', async () => {
  const { url } = await ownDatabase('stub_old')
  const env = { DATABASE_URL: url }
  const { stdout, ...result } = await run(process.execPath, [main, 'status', '--json'], { env })
  expect(result).toEqual({ code: 3, stderr: names.map(name => `pending  ${name}\n`).join('') })
  expect(JSON.parse(stdout)).toMatchObject({ pending: names })
})

test('the version needs no database', async () => {
  expect(await run(process.execPath, [main, '--version'])).toMatchObject({ code: 0, stdout: `${version}\n` })
})

test('a reader that closes the pipe early, such as head, does not stop a migration', async () => {
  const at = await ownDatabase('contracted')
  const child = start(at.url, 'migrate')
  child.stdout.destroy()
  child.stderr.destroy()
  expect(await once(child, 'close')).toEqual([0, null])
  expect(await ledgerNames(at)).toEqual(names)
})

test('a connection that an administrator ends is an error with the place and what to do, and the same command goes on', async () => {
  const { admin, url, name } = await ownDatabase('baseline')
  await admin.begin(async tx => {
    await tx`select from public.memories`
    const child = start(url, 'migrate', '--lock-timeout', '600000', '--json')
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    const waiting = () =>
      admin`select from pg_locks join pg_stat_activity using (pid) where not granted and datname = ${name}`
    await eventually(waiting).not.toHaveLength(0)
    await admin`select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = ${name} and application_name = 'agents-db'`
    const [stdout, stderr, [code]] = await ended
    expect(code).toBe(1)
    const { error } = JSON.parse(stdout)
    expect(error.code).toBe('CONNECTION_LOST')
    expect(error.message).toMatch(
      /^\d+_drop_agent_id_constraints\/migration\.sql: statement \d+ of \d+, line \d+: .*\n.*rolled back and is not applied\.\n.*Run the same again/,
    )
    expect(stderr).not.toMatch(/^ {4}at /m)
  })
  expect(await cli(url, 'migrate')).toMatchObject({ code: 0 })
})

test('Ctrl-C exits 130, keeps what is committed, and the same command goes on', async () => {
  const { admin, url } = await ownDatabase('baseline')
  // A client that has read a memory, and stays in its transaction, blocks the contract step.
  await admin.begin(async tx => {
    await tx`select from public.memories`
    const child = start(url, 'migrate')
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
      if (text.includes('Trying again')) child.kill('SIGINT')
    })
    const [stdout, ended] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect(ended).toEqual([130, null])
    expect(stdout.match(/^applied \d+_\w+/gm)).toEqual(
      ['serve_both_applications', 'archive_user_agents', 'add_agent_prompts'].map(
        title => `applied ${named(title)}`,
      ),
    )
    expect(stderr).toContain('blocked by: pid ')
    expect(stderr).toContain('interrupted; what is committed stays')
  })

  const { code, stdout } = await cli(url, 'migrate')
  expect(code).toBe(0)
  expect(stdout.match(/^applied/gm)).toHaveLength(namesAfter('add_agent_prompts').length)
})
