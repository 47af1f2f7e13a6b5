import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate, rollback } from '../../../src/migrate.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createDatabase('stub_old')
})
afterEach(() => database.drop())

test('a user who signs up while the tables are being dropped keeps them from it', async () => {
  const { db, sql, admin } = database
  await migrate(db, { to: 'create_the_agent_tables' })

  const id = randomUUID()
  let outcome: Promise<unknown> | undefined
  await admin.begin(async tx => {
    await tx`insert into auth.users (id, email) values (${id}, 'ada@example.test')`
    outcome = rollback(db).catch((error: unknown) => error)
    // Commits while the step waits for the lock that the sign-up holds.
    for (;;) {
      const waiting =
        await admin`select from pg_locks where not granted and relation = 'auth.users'::regclass`
      if (waiting.count > 0) break
    }
  })
  expect(await outcome).toMatchObject({ code: 'STATEMENT_FAILED', sqlState: '55000' })
  expect(await sql`select id, username from public.profiles`).toEqual([{ id, username: 'ada' }])
})
