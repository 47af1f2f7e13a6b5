import { createRequire } from 'node:module'
import type { Command } from '@commander-js/extra-typings'
import type { LedgerName } from '../migrator/project.ts'
import type { Io } from './io.ts'
import type { Output } from './output.ts'

export const exitCodes = { done: 0, error: 1, usage: 2, pending: 3, drift: 4 } as const

export const version: string = createRequire(import.meta.url)('../../package.json').version

/** What a command runs with. */
export interface Cli extends Output {
  io: Io
  /** How the user calls the commands: `pnpm` for scripts of this package, otherwise `agents-db`. */
  self: string
  /** Where an option gives it: the table that records the migrations. */
  readonly ledger: LedgerName | undefined
  /** Where an option gives it: the port to start the local server on. */
  port?: number | undefined
}

/** Adds options, an action and subcommands to a command. */
export type Define = (command: Command, cli: Cli) => void

/** The command line, or a setting it depends on, is wrong; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
  readonly code = 'USAGE'
}
