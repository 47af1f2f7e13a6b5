export * from './llms.ts'
export * from './memories.ts'
export * from './profiles.ts'
export * from './system-agents.ts'
