import { InvalidArgumentError } from 'commander'
import type { LedgerName } from '../migrator/project.ts'

/** Options of more than one command, to be added with `.option(...retries)`. */
export const lockTimeout = ['--lock-timeout <ms>', 'longest wait for a lock', wholeNumber(1), 100] as const
export const retries = ['--retries <n>', 'retries after a lock timeout', wholeNumber(0), 100] as const
export const ignore = [
  '--ignore <functions...>',
  'functions that may name what is dropped, as they were listed',
] as const
export const parsePort = wholeNumber(1, 65_535)
export const port = ['--port <n>', 'port of the local PostgreSQL', parsePort] as const

export const ledger = [
  '--ledger <schema.table>',
  'table that records the migrations (default: drizzle.__drizzle_migrations)',
  parseLedger,
] as const

export function parseLedger(value: string): LedgerName {
  const [schema, table, ...more] = value.split('.')
  if (schema && table && more.length === 0) return { schema, table }
  throw new InvalidArgumentError('Give a schema and a table, as schema.table.')
}

/** Parses the value of an option. PostgreSQL's numbers of milliseconds end at the default `most`. */
function wholeNumber(least: number, most = 2 ** 31 - 1): (value: string) => number {
  return value => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  }
}
