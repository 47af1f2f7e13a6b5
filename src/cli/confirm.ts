import { createInterface } from 'node:readline/promises'
import { UsageError } from './command.ts'

/** The user was asked, and did not say yes; exit code 1. */
class DeclinedError extends Error {
  override name = 'DeclinedError'
  readonly code = 'DECLINED'
}

/**
 * Asks before what cannot be undone. Elsewhere than on a terminal nobody can be asked: there `--yes` must be given.
 *
 * @throws DeclinedError, UsageError
 */
export async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new UsageError(`${question} Say so with --yes.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new DeclinedError('left as it was')
  } finally {
    terminal.close()
  }
}
