import type { ParseArgsConfig } from 'node:util'
import type { Output } from './output.ts'

/** What a command line said, once `node:util` has parsed it. */
interface Arguments {
  positionals: string[]
  values: Record<string, string | boolean | undefined>
}

/** One command: the options it takes, and what it does. */
export interface Command {
  options: NonNullable<ParseArgsConfig['options']>
  /** Whether words may follow the command's name. */
  positionals?: boolean
  /** How each option is explained; the order is the order of `--help`. */
  explain: Record<string, string>
  /** @returns the exit code */
  run: (args: Arguments, output: Output) => Promise<number>
}

/** The command line is wrong; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** How the user calls a command: as a script of this package, or by the name of its bin. */
export const self =
  process.env.npm_lifecycle_event && process.env.npm_package_name === '@agents/db' ? 'pnpm' : 'agents-db'

export const exitCodes = { done: 0, error: 1, usage: 2, pending: 3, drift: 4 } as const
