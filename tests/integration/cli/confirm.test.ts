import { expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { ownDatabase } from '../../support/database.ts'

test('a question is asked on the terminal: n leaves the archive, y drops it', async () => {
  const { admin, url } = await ownDatabase('today')
  const drop = async (typed: string) => {
    const options = { env: { DATABASE_URL: url }, typed }
    const { code, stdout, stderr } = await runCli(['archive', 'drop', '--json'], options)
    expect(stderr).toContain('Drop the archive?')
    const [row] = await admin`select to_regclass('archive.user_agents') is not null as kept`
    return { code, document: JSON.parse(stdout), kept: row?.kept }
  }
  expect(await drop('n\n')).toMatchObject({ code: 1, document: { error: { code: 'DECLINED' } }, kept: true })
  expect(await drop('y\n')).toMatchObject({ code: 0, document: { dropped: { kept: true } }, kept: false })
})
