import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { version } from '../../../src/cli/cli.ts'
import { cli } from '../../support/cli.ts'
import { compiled } from '../../support/compiled.ts'
import { ownDatabase } from '../../support/database.ts'
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
