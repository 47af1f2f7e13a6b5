import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Script } from './files.ts'

/** PostgreSQL's table locks, the weakest first. */
export const lockModes = [
  'access share',
  'row share',
  'row exclusive',
  'share update exclusive',
  'share',
  'share row exclusive',
  'exclusive',
  'access exclusive',
] as const

export type LockMode = (typeof lockModes)[number]

/** The locks on tables that others can see, by table. */
export type TableLocks = Record<string, LockMode>

/** The locks that a script takes: of each statement, by its number from 1, those that it takes first or makes stronger. */
export interface ScriptLocks {
  statements: number
  taken: Record<string, TableLocks>
}

/** What `locks.json` holds. */
export type Locks = Partial<Record<Script['file'], ScriptLocks>>

/** `locks.json` of a migration; nothing where it was not measured. */
export function readMeasuredLocks(folder: string, name: string): Locks {
  const path = join(folder, name, 'locks.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
}
