import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { version } from '../../../src/cli/cli.ts'
import { runCli } from '../../support/cli.ts'
import { compiled } from '../../support/compiled.ts'
import { ownDatabase } from '../../support/database.ts'
import { after, names } from '../../support/migrations.ts'

/** Starts the command in a process of its own. */
async function start(url: string, ...args: string[]) {
  const main = await compiled('src/cli/main.ts')
  return spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH, DATABASE_URL: url } })
}

test('the process ends with the exit code, the document on stdout and messages on stderr', async () => {
  const { url } = await ownDatabase('stub_old')
  const child = await start(url, 'status', '--json')
  const [stdout, stderr, ended] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  const messages = names.map(name => `pending  ${name}\n`).join('')
  expect({ ended, stderr }).toEqual({ ended: [3, null], stderr: messages })
  expect(JSON.parse(stdout)).toMatchObject({ pending: names })
})

test('the version needs no database', async () => {
  const child = await start('', '--version')
  const [stdout, ended] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect({ ended, stdout }).toEqual({ ended: [0, null], stdout: `${version}\n` })
})

test('a reader that closes the pipe early, such as head, does not stop a migration', async () => {
  const { url, sql } = await ownDatabase('contracted')
  const child = await start(url, 'migrate')
  child.stdout.destroy()
  child.stderr.destroy()
  expect(await once(child, 'close')).toEqual([0, null])
  const ledger = await sql`select name from drizzle.__drizzle_migrations order by name`
  expect(ledger.map(({ name }) => name)).toEqual(names)
})

test('Ctrl-C exits 130, keeps what is committed, and the same command goes on', async () => {
  const { admin, url } = await ownDatabase('baseline')
  // A client that has read a memory, and stays in its transaction, blocks the contract step.
  await admin.begin(async tx => {
    await tx`select from public.memories`
    const child = await start(url, 'migrate')
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
      if (text.includes('Trying again')) child.kill('SIGINT')
    })
    const [stdout, ended] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect(ended).toEqual([130, null])
    expect(stdout.match(/^applied \d+_\w+/gm)).toEqual([
      expect.stringContaining('_serve_both_applications'),
      expect.stringContaining('_archive_what_users_own'),
    ])
    expect(stderr).toContain('interrupted; what is committed stays')
  })

  const { code, stdout } = await runCli(['migrate'], { env: { DATABASE_URL: url } })
  expect({ code, applied: stdout.match(/^applied/gm) }).toEqual({
    code: 0,
    applied: after('archive_what_users_own').map(() => 'applied'),
  })
})
