export { clearAgentPrompt, setAgentPrompt } from './agents/agent-prompts.ts'
export { type AgentForUser, agentsForUser } from './agents/agents-for-user.ts'
export { createDatabase, type Database } from './database.ts'
export {
  addMemory,
  deleteMemory,
  type ListMemoriesOptions,
  listMemories,
  type MemoryPage,
  type MemoryValues,
  updateMemory,
} from './memories/memories.ts'
export { RequestError, type RequestErrorCode } from './request-error.ts'
export * from './schema.ts'
