import { randomInt } from 'node:crypto'
import type postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { hashOf } from './hash.ts'
import { startTestServer, type TestServer } from './server.ts'
import { connect, dropDatabases, type TestRun } from './templates.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    run: TestRun
  }
}

/** Every run holds this advisory lock, shared; a run that gets it exclusively is alone on the server. */
const lock = 0x7465_7374

/**
 * Before the first test that needs a server: starts one, or joins the run that did. Both projects that need it call this;
 * the first call serves both.
 */
export default async function setup({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const project = vitest.getRootProject()
  if (project.getProvidedContext().run) return undefined

  const { server, session } = await join()
  const run = {
    serverUrl: server.url,
    prefix: `agents_test_${randomInt(2 ** 31)}_`,
    templates: `agents_template_${hashOf('src', 'drizzle', 'tests/support')}_`,
  }
  if (await isAlone(session)) {
    await removeAll(session, run.templates)
    await session`select pg_advisory_unlock(${lock})`
  }
  const [version] = await session`select current_setting('server_version') as number`
  console.log(`PostgreSQL ${version?.number} (${server.kind})`)
  console.log(`TEST_SEED=${process.env.TEST_SEED} draws the same sample of the exhaustive tests again`)
  project.provide('run', run)
  return () => leave(server, session, run)
}

/** Another run may just be stopping the server: then it is started again. */
async function join(): Promise<{ server: TestServer; session: postgres.Sql }> {
  for (let attempt = 1; ; attempt++) {
    const server = await startTestServer()
    const session = connect(server.url, { max: 1, max_lifetime: null })
    try {
      await session`select pg_advisory_lock_shared(${lock})`
      return { server, session }
    } catch (error) {
      await session.end({ timeout: 0 })
      if (!server.shared || attempt === 10) throw error
    }
  }
}

/** The last run stops the server; one that is kept has its templates for the next. */
async function leave(server: TestServer, session: postgres.Sql, run: TestRun): Promise<void> {
  await dropDatabases(session, run.prefix)
  await session`select pg_advisory_unlock_shared(${lock})`
  if (await isAlone(session)) {
    if (!server.shared) await removeAll(session)
    await server.stop()
  }
  await session.end({ timeout: 0 })
}

async function isAlone(session: postgres.Sql): Promise<boolean> {
  const [row] = await session`select pg_try_advisory_lock(${lock}) as alone`
  return row?.alone
}

/** What killed runs have left, and templates made of other code. */
async function removeAll(session: postgres.Sql, but?: string): Promise<void> {
  await dropDatabases(session, 'agents_test_')
  await dropDatabases(session, 'agents_template_', but)
  const roles = await session`select rolname from pg_roles where starts_with(rolname, 'agents_test_')`
  for (const { rolname } of roles) await session`drop role ${session(rolname)}`
}
