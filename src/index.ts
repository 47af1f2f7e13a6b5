export { type AgentForUser, agentsForUser } from './agents/agents-for-user.ts'
export { createDatabase, type Database } from './database.ts'
export * from './schema.ts'
