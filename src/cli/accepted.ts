import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AcceptedDifference, AdoptReport, Difference } from '../migrate.ts'
import { type Cli, UsageError } from './cli.ts'
import type { Io } from './io.ts'

const FILE = 'drizzle.accepted.json'
export const accept = ['--accept', `add the differences to ${FILE}`] as const

/**
 * The differences that the project accepts.
 *
 * @throws UsageError where the file is not as `addAccepted` writes it
 */
export function readAccepted({ cwd }: Io): AcceptedDifference[] {
  const path = join(cwd, FILE)
  if (!existsSync(path)) return []
  let entries: unknown
  try {
    entries = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`${FILE}: ${(error as Error).message}`)
  }
  const wrong = Array.isArray(entries) ? entries.findIndex(entry => !isAccepted(entry)) : 0
  if (wrong < 0) return entries as AcceptedDifference[]
  throw new UsageError(
    `${FILE}, entry ${wrong + 1}: give object, fact, expected and found as \`check --json\` prints them, and why in words`,
  )
}

function isAccepted(entry: unknown): boolean {
  const { object, fact, expected, found, why = '', ...others } = Object(entry)
  const isRight = [fact, expected, found].every(value => value === null || typeof value === 'string')
  return typeof object === 'string' && isRight && typeof why === 'string' && Object.keys(others).length === 0
}

/** Adds differences to the file, in the place of others about the same; returns them all. */
export function addAccepted({ io, note }: Cli, differences: Difference[]): AcceptedDifference[] {
  const kept = readAccepted(io).filter(
    ({ object, fact }) => !differences.some(other => other.object === object && other.fact === fact),
  )
  if (differences.length === 0) return kept
  const entries = [...kept, ...differences.map(({ message, ...entry }) => ({ ...entry, why: '' }))]
  writeFileSync(join(io.cwd, FILE), `${JSON.stringify(entries, null, 2)}\n`)
  note(`wrote ${FILE}: say why in each entry, and commit it`)
  return entries
}

export function reportAccepted(accepted: AdoptReport['accepted'], cli: Cli): void {
  for (const { message, why } of accepted) cli.line(`accepted: ${message}${why ? ` (${why})` : ''}`)
}
