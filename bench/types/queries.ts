// Ten queries of a backend, of the kind that most of its queries are.
import { and, count, desc, eq, gt, inArray, sql } from 'drizzle-orm'
import { createDatabase, llms, memories, profiles, systemAgents } from './tables.ts'

const db = createDatabase('postgresql://localhost/agents')

export const activeModels = () =>
  db.select().from(llms).where(eq(llms.status, 'active')).orderBy(llms.modelCode)

export const modelByCode = (code: string) =>
  db
    .select({ id: llms.id, config: llms.config })
    .from(llms)
    .where(eq(llms.modelCode, code))
    .limit(1)
    .then(([model]) => model?.config.context_window)

export const agentsWithModels = () =>
  db
    .select({ type: systemAgents.agentType, config: systemAgents.config, model: llms.modelCode })
    .from(systemAgents)
    .innerJoin(llms, eq(llms.id, systemAgents.llmId))
    .where(eq(systemAgents.status, 'active'))

export const memoriesOf = (userId: string, after: Date) =>
  db
    .select()
    .from(memories)
    .where(and(eq(memories.userId, userId), eq(memories.memoryType, 'work'), gt(memories.createdAt, after)))
    .orderBy(desc(memories.createdAt))
    .limit(50)

export const memoriesByType = () =>
  db
    .select({ type: memories.memoryType, number: count() })
    .from(memories)
    .leftJoin(profiles, eq(profiles.id, memories.userId))
    .groupBy(memories.memoryType)

export const remember = (userId: string, contents: string[]) =>
  db
    .insert(memories)
    .values(contents.map(content => ({ userId, content, memoryType: 'user' as const, status: 'active' })))
    .returning({ id: memories.id })

export const rememberModel = (modelCode: string) =>
  db
    .insert(llms)
    .values({
      modelCode,
      provider: 'p',
      displayName: modelCode,
      status: 'active',
      config: { temperature: 1 },
    })
    .onConflictDoUpdate({ target: llms.modelCode, set: { status: sql`excluded.status` } })

export const setPrompts = (id: string, prompts: Record<string, string>) =>
  db
    .update(profiles)
    .set({ settings: { agent_prompts: prompts } })
    .where(eq(profiles.id, id))
    .returning()

export const forget = (ids: string[]) =>
  db.transaction(async tx => tx.delete(memories).where(inArray(memories.id, ids)))

export const profileWithMemories = async (id: string) => {
  const profile = await db.query.profiles.findFirst({
    where: { id },
    with: { memories: { columns: { content: true }, where: { memoryType: 'user' }, limit: 10 } },
  })
  return profile?.memories.map(({ content }) => content) ?? []
}
