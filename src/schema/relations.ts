import { defineRelations } from 'drizzle-orm'
import { llms } from './llms.ts'
import { memories } from './memories.ts'
import { profiles } from './profiles.ts'
import { systemAgents } from './system-agents.ts'

// Named, so that the declarations refer to the tables and do not repeat them.
type Tables = {
  llms: typeof llms
  memories: typeof memories
  profiles: typeof profiles
  systemAgents: typeof systemAgents
}

const tables: Tables = { llms, memories, profiles, systemAgents }

/**
 * What `db.query` may follow with `with`, for databases opened by `createDatabase` or by
 * `drizzle({ client, relations })`.
 */
export const relations = defineRelations(tables, r => ({
  llms: {
    systemAgents: r.many.systemAgents({ from: r.llms.id, to: r.systemAgents.llmId }),
  },
  systemAgents: {
    // Never null: the column insists on a model, and a model in use cannot be deleted.
    llm: r.one.llms({ from: r.systemAgents.llmId, to: r.llms.id, optional: false }),
  },
  profiles: {
    memories: r.many.memories({ from: r.profiles.id, to: r.memories.userId }),
  },
  memories: {
    // Both belong to the user in `auth.users`, who may have memories and no profile.
    profile: r.one.profiles({ from: r.memories.userId, to: r.profiles.id }),
  },
}))
