import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { compiled } from '../../support/compiled.ts'
import { ownDatabase } from '../../support/database.ts'
import { after } from '../../support/migrations.ts'

test('Ctrl-C says that what is committed stays, which has been told, and the same command goes on', async () => {
  const database = await ownDatabase('baseline')
  const env = { DATABASE_URL: database.url }

  // Who has read a memory, and goes on, keeps the contract step waiting.
  await database.admin.begin(async tx => {
    await tx`select from public.memories`
    const child = spawn(process.execPath, [await compiled('src/cli/main.ts'), 'migrate'], {
      env: { PATH: process.env.PATH, ...env },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
      if (text.includes('Trying again')) child.kill('SIGINT')
    })
    expect(await once(child, 'close')).toEqual([130, null])
    expect(stdout.match(/^applied \d+_\w+/gm)).toEqual([
      expect.stringContaining('_serve_both_applications'),
      expect.stringContaining('_archive_what_users_own'),
    ])
    expect(stderr).toContain('interrupted; what is committed stays')
  })

  const { code, stdout } = await runCli(['migrate'], { env })
  expect({ code, applied: stdout.match(/^applied/gm) }).toEqual({
    code: 0,
    applied: after('archive_what_users_own').map(() => 'applied'),
  })
})
