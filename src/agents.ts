import { eq, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { type Llm, llms, profiles, type SystemAgent, systemAgents } from './schema/index.ts'

/** A system agent as it is to run for one user. */
export interface AgentForUser {
  agentType: SystemAgent['agentType']
  /** The agent's configuration; its `prompt` is the user's own where the user has one. */
  config: SystemAgent['config']
  /** Whether `config.prompt` is the user's. */
  customized: boolean
  llm: Pick<Llm, 'id' | 'modelCode' | 'provider' | 'displayName' | 'config' | 'status'>
}

/**
 * Every active system agent with its model, and with the user's prompt laid over the agent's own:
 * one query. A user without a profile, or without prompts, has the agents as they are.
 */
export async function agentsForUser(db: Database, userId: string): Promise<AgentForUser[]> {
  const rows = await db
    .select({
      agentType: systemAgents.agentType,
      config: systemAgents.config,
      prompt: sql<unknown>`${profiles.settings} -> 'agent_prompts' -> ${systemAgents.agentType}::text`,
      llm: {
        id: llms.id,
        modelCode: llms.modelCode,
        provider: llms.provider,
        displayName: llms.displayName,
        config: llms.config,
        status: llms.status,
      },
    })
    .from(systemAgents)
    .innerJoin(llms, eq(llms.id, systemAgents.llmId))
    .leftJoin(profiles, eq(profiles.id, userId))
    .where(eq(systemAgents.status, 'active'))
    .orderBy(systemAgents.agentType)

  return rows.map(({ prompt, config, ...agent }) => {
    const customized = typeof prompt === 'string' && prompt.trim() !== ''
    return { ...agent, config: customized ? { ...config, prompt } : config, customized }
  })
}
