export { type AgentForUser, agentsForUser } from './agents.ts'
export { createDatabase, type Database } from './database.ts'
export * from './schema/index.ts'
