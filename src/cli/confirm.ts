import { createInterface } from 'node:readline/promises'
import { type Cli, UsageError } from './cli.ts'

/**
 * Asks before something that cannot be undone. Without a terminal, `--yes` is required.
 *
 * @throws UsageError; an Error with the code `DECLINED` unless the answer is yes
 */
export async function confirm({ io: { stdin, stderr } }: Cli, question: string, yes = false): Promise<void> {
  if (yes) return
  if (!stdin.isTTY || !stderr.isTTY) throw new UsageError(`${question} Without a terminal, pass --yes.`)
  // Not readline's own terminal, in which Ctrl-C would be a character like any other.
  const terminal = createInterface({ input: stdin, output: stderr, terminal: false })
  const closed = new AbortController()
  terminal.once('close', () => closed.abort())
  const answer = await terminal.question(`${question} [y/N] `, closed).catch(() => '')
  terminal.close()
  if (/^y(es)?$/i.test(answer.trim())) return
  throw Object.assign(new Error('cancelled; nothing was changed'), { code: 'DECLINED' })
}
