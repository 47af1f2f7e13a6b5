import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import { RequestError, requireText } from '../request-error.ts'

/**
 * Gives a user a prompt of their own for an agent, in the place of an earlier one: one statement, so that prompts set at once do
 * not overwrite each other.
 *
 * @param userId the user's id in `auth.users`, a UUID
 * @throws RequestError `UNKNOWN_USER`, `UNKNOWN_AGENT`, or `INVALID_VALUE` for a blank prompt; otherwise what the driver throws
 */
export async function setAgentPrompt(
  db: Database,
  userId: string,
  agentType: string,
  prompt: string,
): Promise<void> {
  requireText('the prompt', prompt)
  const [row] = await query<{ agent: boolean; profile: boolean }>(
    db,
    sql`with agent as (
          select from public.system_agents where agent_type = ${agentType}
        ), changed as (
          update public.profiles
             set settings = jsonb_set(settings, array['agent_prompts', ${agentType}::text], to_jsonb(${prompt}::text))
           where id = ${userId} and exists (select from agent)
          returning 1
        )
        select exists (select from agent) as agent, exists (select from changed) as profile`,
  )
  if (!row?.agent) throw new RequestError('UNKNOWN_AGENT', `no system agent is of the type ${agentType}`)
  if (!row.profile) throw unknownUser(userId)
}

/**
 * Takes a user's own prompt for an agent away, if they have one: the agent's own counts again.
 *
 * @throws RequestError `UNKNOWN_USER`; otherwise what the driver throws
 */
export async function clearAgentPrompt(db: Database, userId: string, agentType: string): Promise<void> {
  const changed = await query(
    db,
    sql`update public.profiles
           set settings = settings #- array['agent_prompts', ${agentType}::text]
         where id = ${userId}
        returning 1`,
  )
  if (changed.length === 0) throw unknownUser(userId)
}

function unknownUser(id: string): RequestError {
  return new RequestError('UNKNOWN_USER', `no user has the id ${id}`)
}
