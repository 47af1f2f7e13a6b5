import { eq, sql } from 'drizzle-orm'
import { ask } from '../ask.ts'
import type { Database } from '../database.ts'
import { inPublic } from '../in-public.ts'
import { type Llm, llms, profiles, type SystemAgent, systemAgents } from '../schema.ts'

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
 * Every active system agent with its model, and with the user's prompt laid over the agent's own, by `agentType`:
 * one statement. A user without a profile, or without prompts, has the agents as they are. A blank prompt, or
 * one that is not text, counts as none. Inactive models are returned too.
 *
 * @param userId the user's id in `auth.users`, a UUID
 * @throws DrizzleQueryError, with the driver's error as its cause
 */
export async function agentsForUser(db: Database, userId: string): Promise<AgentForUser[]> {
  const rows = await ask(db, 'agents', { userId }, () => selectAgents(db))
  return rows.map(({ prompt, config, ...agent }) => {
    const customized = prompt !== null && prompt.trim() !== ''
    return { ...agent, config: { ...objectOf(config), ...(customized && { prompt }) }, customized }
  })
}

function selectAgents(db: Database) {
  const prompts = sql`(${profiles.settings} -> 'agent_prompts')`
  return db
    .select({
      agentType: systemAgents.agentType,
      config: systemAgents.config,
      // As text, so that no driver takes it for JSON; what is not text is none.
      prompt: sql<string | null>`
        case when jsonb_typeof(${prompts} -> ${systemAgents.agentType}::text) = 'string'
             then ${prompts} ->> ${systemAgents.agentType}::text end`,
      llm: {
        id: llms.id,
        modelCode: llms.modelCode,
        provider: llms.provider,
        displayName: llms.displayName,
        config: llms.config,
        status: llms.status,
      },
    })
    .from(inPublic(systemAgents))
    .innerJoin(inPublic(llms), eq(llms.id, systemAgents.llmId))
    .leftJoin(inPublic(profiles), eq(profiles.id, sql.placeholder('userId')))
    .where(eq(systemAgents.status, 'active'))
    .orderBy(systemAgents.agentType)
}

/** Some drivers have written an object as a JSON string that holds it. What is no object has no settings. */
function objectOf(config: unknown): SystemAgent['config'] {
  if (typeof config !== 'string') {
    const isObject = typeof config === 'object' && config !== null && !Array.isArray(config)
    return isObject ? (config as SystemAgent['config']) : {}
  }
  try {
    return objectOf(JSON.parse(config))
  } catch {
    return {}
  }
}
