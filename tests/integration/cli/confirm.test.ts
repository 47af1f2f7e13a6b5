import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { compiled } from '../../support/compiled.ts'
import { ownDatabase } from '../../support/database.ts'

/** Makes the command take its pipes for a terminal. */
const onTerminal = 'data:text/javascript,process.stdin.isTTY=true;process.stderr.isTTY=true'

async function drop(url: string, answer: string) {
  const child = spawn(
    process.execPath,
    ['--import', onTerminal, await compiled('src/cli/main.ts'), 'archive', 'drop', '--json'],
    { env: { PATH: process.env.PATH, DATABASE_URL: url } },
  )
  child.stdin.end(`${answer}\n`)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  expect(stderr).toContain('Drop the archive?')
  return { code, document: JSON.parse(stdout) }
}

test('who is asked and does not say yes gets exit 1 and an error document, and all stays; y is yes', async () => {
  const { admin, url } = await ownDatabase('today')
  const kept = async () => (await admin`select to_regclass('archive.user_agents')::text as is`)[0]?.is
  for (const answer of ['n', '', 'yesterday']) {
    expect(await drop(url, answer)).toEqual({
      code: 1,
      document: { error: { code: 'DECLINED', message: 'left as it was' } },
    })
    expect(await kept()).toBe('archive.user_agents')
  }
  expect(await drop(url, 'y')).toMatchObject({ code: 0, document: { dropped: { kept: true } } })
  expect(await kept()).toBeNull()
})
