import { createInsertSchema, createSelectSchema, createUpdateSchema } from 'drizzle-orm/zod'
import { llms, memories, profiles, systemAgents } from './schema/index.ts'

/** Validators made from the tables: what may be inserted, what a row looks like, what may be changed. */
export const insertLlm = createInsertSchema(llms)
export const selectLlm = createSelectSchema(llms)
export const updateLlm = createUpdateSchema(llms)

export const insertMemory = createInsertSchema(memories)
export const selectMemory = createSelectSchema(memories)
export const updateMemory = createUpdateSchema(memories)

export const insertProfile = createInsertSchema(profiles)
export const selectProfile = createSelectSchema(profiles)
export const updateProfile = createUpdateSchema(profiles)

export const insertSystemAgent = createInsertSchema(systemAgents)
export const selectSystemAgent = createSelectSchema(systemAgents)
export const updateSystemAgent = createUpdateSchema(systemAgents)
