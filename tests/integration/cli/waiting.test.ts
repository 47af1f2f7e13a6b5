import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { migrate } from '../../../src/migrate.ts'
import { compiled } from '../../support/compiled.ts'
import { ownDatabase } from '../../support/database.ts'
import { after } from '../../support/migrations.ts'

test('migrate says for whom an index waits, and goes on once they are done', async () => {
  const database = await ownDatabase('baseline')
  await migrate(database.db, { to: 'secure_system_agents' })
  const { child, pid } = await database.sql.begin(async tx => {
    const [self] = await tx`select pg_backend_pid() as pid, count(*) from public.memories`
    const child = spawn(process.execPath, [await compiled('src/cli/main.ts'), 'migrate'], {
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
    })
    let stderr = ''
    for await (const text of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      stderr += text
      if (stderr.includes('blocked by')) break
    }
    expect(stderr).toMatch(
      new RegExp(
        `online\\.sql: statement 3 of .*: waits for older transactions, and blocks nobody\\nblocked by: pid ${self?.pid}, .*\\n$`,
      ),
    )
    return { child, pid: self?.pid }
  })
  expect(pid).toBeGreaterThan(0)
  child.stdout.resume()
  child.stderr.resume()
  expect(await once(child, 'close')).toEqual([0, null])
  const [ledger] = await database.sql`select count(*)::int as applied from drizzle.__drizzle_migrations`
  expect(ledger?.applied).toBeGreaterThan(after('secure_system_agents').length)
})
