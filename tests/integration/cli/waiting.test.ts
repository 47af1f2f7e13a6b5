import { EventEmitter, once } from 'node:events'
import { expect, test } from 'vitest'
import { migrate } from '../../../src/migrate.ts'
import { runCli } from '../../support/cli.ts'
import { ownDatabase } from '../../support/database.ts'
import { after } from '../../support/migrations.ts'

test('migrate names the transaction that an index waits for, and goes on once it has ended', async () => {
  const database = await ownDatabase('baseline')
  await migrate(database.db, { to: 'secure_system_agents' })
  const { pid, running } = await database.sql.begin(async tx => {
    const [self] = await tx`select pg_backend_pid() as pid, count(*) from public.memories`
    const messages = new EventEmitter()
    const running = runCli(['migrate'], {
      env: { DATABASE_URL: database.url },
      onStderr: text => text.includes('blocked by') && messages.emit('blocked'),
    })
    await Promise.race([once(messages, 'blocked'), running])
    return { pid: self?.pid, running }
  })
  const { code, stdout, stderr } = await running
  const waits =
    'online\\.sql: statement 3 of .*: waits for older transactions, and blocks nobody\n' +
    `blocked by: pid ${pid}, `
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(waits) })
  expect(stdout.match(/^applied/gm)).toHaveLength(after('secure_system_agents').length)
})
