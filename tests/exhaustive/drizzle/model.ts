import { AGENT_TYPES } from '../../support/rows.ts'

// What should be there after the way down, said without SQL. It knows nothing of archive and triggers.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

interface Agent {
  id: string
  user_id: string
  agent_type: string
  created_by: string | null
  updated_by: string | null
  /** All other columns, as text. */
  rest: string
}

interface Memory {
  id: string
  user_id: string
  memory_type: string
  /** In the old schema. */
  agent_id: string | null
}

export interface State {
  /** Settings by user. */
  profiles: Map<string, Json>
  agents: Agent[]
  memories: Memory[]
}

export interface Expectation {
  /** How many work memories have no agent to go to: the way down stops. */
  stranded: number
  profiles: Map<string, Json>
  agents: Agent[]
  /** Users who receive the catalog, under ids that are made up. */
  newcomers: string[]
  /** Where a made-up id is due, the user whose TASK_EXECUTION agent it is. */
  memories: (Memory | (Memory & { agent_of: string }))[]
}

/** From the old rows and the new ones, and the types in the catalog, to the rows of the way back. */
export function wayBack(old: State, now: State, catalog: string[]): Expectation {
  const alive = now.profiles
  const agents = old.agents
    .filter(agent => alive.has(agent.user_id))
    .map(agent => ({
      ...agent,
      created_by: ifAlive(agent.created_by),
      updated_by: ifAlive(agent.updated_by),
    }))
  const newcomers = [...alive.keys()].filter(user => !old.profiles.has(user))
  const types = AGENT_TYPES.filter(type => catalog.includes(type))
  let stranded = 0

  const memories = now.memories.map(memory => {
    if (memory.memory_type === 'user') return { ...memory, agent_id: null }
    const before = old.memories.find(({ id }) => id === memory.id)?.agent_id
    if (before && agents.some(({ id }) => id === before)) return { ...memory, agent_id: before }
    if (newcomers.includes(memory.user_id)) {
      if (types.includes('TASK_EXECUTION')) return { ...memory, agent_id: null, agent_of: memory.user_id }
    } else {
      const own = agents.find(a => a.user_id === memory.user_id && a.agent_type === 'TASK_EXECUTION')
      if (own) return { ...memory, agent_id: own.id }
    }
    stranded += 1
    return memory
  })

  const profiles = new Map(
    [...alive].map(([user, settings]) => [user, settingsBack(old.profiles.get(user), settings)]),
  )
  return { stranded, profiles, agents, newcomers: types.length > 0 ? newcomers : [], memories }

  function ifAlive(user: string | null): string | null {
    return user !== null && alive.has(user) ? user : null
  }
}

function settingsBack(was: Json | undefined, now: Json): Json {
  if (!isObject(now) || !isObject(now.agent_prompts) || Object.keys(now.agent_prompts).length > 0) return now
  const { agent_prompts, ...rest } = now
  if (was === undefined) return rest
  if (!isObject(was)) return Object.keys(rest).length === 0 ? was : rest
  if (!Object.hasOwn(was, 'agent_prompts')) return rest
  return isObject(was.agent_prompts) ? now : { ...rest, agent_prompts: was.agent_prompts! }
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** As text, whatever the order of the keys. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
  return `{${entries.sort().join()}}`
}
