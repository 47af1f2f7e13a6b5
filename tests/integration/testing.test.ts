import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { agentsForUser, setAgentPrompt } from '../../src/index.ts'
import { migrate, status } from '../../src/migrate.ts'
import { createTestDatabase } from '../../src/testing.ts'
import { makeServerDirectory } from '../support/local.ts'
import { furtherMigration, idea } from './platform/further-migration.ts'

let directory: string
const further = furtherMigration()
beforeAll(async () => {
  const made = await makeServerDirectory()
  directory = join(made.directory)
  return made.remove
})

test("a database of one's own is migrated and seeded, and knows nothing of the others", async () => {
  const [one, two] = await Promise.all([
    createTestDatabase({ directory, seeded: true }),
    createTestDatabase({ directory, seeded: true }),
  ])
  const user = await one.signUp({ metadata: { username: 'Ada' } })
  await setAgentPrompt(one.db, user, 'TASK_EXECUTION', 'Answer in rhymes.')
  const customized = (await agentsForUser(one.db, user)).filter(agent => agent.customized)
  expect(customized.map(({ config }) => config.prompt)).toEqual(['Answer in rhymes.'])
  expect((await one.db.query.profiles.findMany()).map(({ username }) => username)).toEqual(['Ada'])
  expect(await two.db.query.profiles.findMany()).toEqual([])
  await Promise.all([one.drop(), two.drop()])
  await expect(agentsForUser(one.db, user)).rejects.toThrow()
})

test("migrations of one's own make a template of their own, and nothing is seeded unless asked", async () => {
  await further.write(
    'create table public.notes (text text); alter table public.notes enable row level security; revoke all on public.notes from anon, authenticated',
  )
  const own = await createTestDatabase({ directory, folder: further.folder })
  expect((await status(own.db, { folder: further.folder })).applied.at(-1)?.name).toBe(idea)
  expect(await own.db.$client`select from public.notes`).toEqual([])
  expect(await own.db.query.llms.findMany()).toEqual([])
  expect((await migrate(own.db, { folder: further.folder })).applied).toEqual([])
  await own.signUp({ email: null })
  await own.drop()
})
