// What a backend does with the package: `prepare` once for a deploy, then `serve USER`.
import {
  type AgentForUser,
  agentsForUser,
  createDatabase,
  listMemories,
  llms,
  memories,
  type NewMemory,
  type ProfileSettings,
  profiles,
  setAgentPrompt,
} from '@agents/db'
import { type MigrateReport, MigrationError, migrate, rollback, status } from '@agents/db/migrate'
import * as schema from '@agents/db/schema'
import { defaultSeedFiles, SeedError, seed } from '@agents/db/seed'
import { insertMemory, selectSystemAgent, updateProfile } from '@agents/db/zod'
import { eq } from 'drizzle-orm'
import type { z } from 'zod'

const [step, userId = ''] = process.argv.slice(2)
const db = createDatabase(process.env.DATABASE_URL, { max: 2 })
try {
  console.log(JSON.stringify(step === 'prepare' ? await prepare() : await serve()))
} finally {
  await db.$client.end()
}

async function prepare() {
  const migrated: MigrateReport = await migrate(db)
  const seeded = await seed(db, defaultSeedFiles())
  const unknown = await rollback(db, { to: 'no_such_migration' }).catch((error: unknown) => error)
  const wrong = await seed(db, { llms: 'missing.yaml', agents: 'missing.yaml' }).catch(
    (error: unknown) => error,
  )
  return {
    migrated: migrated.applied.length,
    pending: (await status(db)).pending,
    agents: seeded.agents.created,
    codes: [unknown instanceof MigrationError && unknown.code, wrong instanceof SeedError && wrong.code],
  }
}

async function serve() {
  await setAgentPrompt(db, userId, 'TASK_EXECUTION', 'Be brief.')
  await db
    .update(profiles)
    .set(updateProfile.parse({ bio: 'Writes.' }))
    .where(eq(profiles.id, userId))
  const memory: NewMemory = insertMemory.parse({
    userId,
    memoryType: 'user',
    content: 'mine',
    status: 'active',
  })
  await db.insert(memories).values(memory)
  const { memories: listed, next } = await listMemories(db, userId, { type: 'user' })

  const agents: AgentForUser[] = await agentsForUser(db, userId)
  const related = await db.query.systemAgents.findMany({ with: { llm: true } })
  const rows: z.infer<typeof selectSystemAgent>[] = related.map(row => selectSystemAgent.parse(row))
  const profile = await db.query.profiles.findFirst({ where: { id: userId }, with: { memories: true } })
  return {
    agents: agents.map(agent => [agent.agentType, agent.customized, agent.llm.provider]),
    models: related.map(({ llm }) => llm.modelCode).sort(),
    rows: rows.length,
    listed: [listed.map(({ content }) => content), next],
    memories: profile?.memories.map(({ content }) => content),
    llms: (await db.select({ code: llms.modelCode }).from(schema.llms)).length,
  }
}

// What the compiler must refuse; where it does not, the directive above the line is itself an error.
export function refused() {
  // @ts-expect-error a prompt is text
  const settings: ProfileSettings = { agent_prompts: { TASK_EXECUTION: 1 } }
  // @ts-expect-error JSON has no dates
  const config: schema.NewLlm['config'] = { at: new Date() }
  // @ts-expect-error there is no such type of memory
  const memory: NewMemory = { userId, memoryType: 'other', content: '', status: '' }
  // @ts-expect-error a memory has no agent
  const relation = db.query.memories.findFirst({ with: { agent: true } })
  return { settings, config, memory, relation }
}
