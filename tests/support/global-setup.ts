import type { TestProject } from 'vitest/node'
import { installStandIn } from '../../src/local/stand-in.ts'
import { compile, removeCompiled } from './compiled.ts'
import { makeMigratedTemplates } from './migrated.ts'
import { startTestServer } from './server.ts'
import { connect, createTemplate, DEPLOYER, dropAll, onServer, type TestRun } from './templates.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    run: TestRun
    /** Where the code is, compiled. */
    compiled: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [server, directory] = await Promise.all([startTestServer(), compile()])
  const run: TestRun = { serverUrl: server.url, prefix: `agents_test_${process.pid}_` }
  const teardown = async () => {
    try {
      await dropAll(run)
    } finally {
      await Promise.all([server.stop(), removeCompiled(directory)])
    }
  }
  try {
    const [version] = await onServer(run, admin => admin`select current_setting('server_version') as number`)
    console.log(`PostgreSQL ${version?.number} (${server.kind})`)
    await makeTemplates(run)
    await makeMigratedTemplates(run)
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('run', run)
  project.provide('compiled', directory)
  return teardown
}

async function makeTemplates(run: TestRun): Promise<void> {
  for (const grants of ['old', 'new'] as const) {
    await createTemplate(run, `standin_${grants}`, 'template0', async ({ adminUrl }) => {
      const admin = connect(adminUrl)
      try {
        await installStandIn(admin, { deployer: DEPLOYER.role, grants, password: DEPLOYER.password })
      } finally {
        await admin.end()
      }
    })
  }
}
