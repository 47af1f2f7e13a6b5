import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from '../../src/migrations/index.ts'
import { buildByOtherMeans } from './by-other-means.ts'
import { connect, createTemplate, type TestRun } from './templates.ts'

/** The states of the schema that tests begin in, each by the last migration it has. */
const states = {
  baseline: 'secure_the_agent_tables',
  expanded: 'archive_what_users_own',
  contracted: 'rename_the_catalog_and_drop_user_agents',
  today: undefined,
}

/**
 * Makes a template for each state, migrated by the role that deploys, with Supabase's old default grants; and `built`, the
 * baseline as another tool would have made it.
 */
export async function makeMigratedTemplates(run: TestRun): Promise<void> {
  let from = 'standin_old'
  for (const [state, to] of Object.entries(states)) {
    await createTemplate(run, state, from, async ({ url }) => {
      const sql = connect(url, { max: 1 })
      try {
        await migrate(drizzle({ client: sql }), to === undefined ? {} : { to })
      } finally {
        await sql.end()
      }
    })
    from = state
  }
  await createTemplate(run, 'built', 'standin_old', async ({ url }) => {
    const sql = connect(url, { max: 1 })
    try {
      await buildByOtherMeans(sql)
    } finally {
      await sql.end()
    }
  })
}
