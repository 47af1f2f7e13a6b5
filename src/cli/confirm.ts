import { createInterface } from 'node:readline/promises'
import { UsageError } from './command.ts'

/**
 * Asks before what cannot be undone. Elsewhere than on a terminal nobody can be asked: there `--yes` must be given.
 */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new UsageError(`${question} Say so with --yes.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
