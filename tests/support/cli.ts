import { Readable, Writable } from 'node:stream'
import { run } from '../../src/cli/run.ts'
import type { Ran } from './process.ts'

interface Options {
  env?: Record<string, string>
  cwd?: string
  /** What is typed on a terminal. Without it there is no terminal. */
  typed?: string
  onStderr?: (text: string) => void
}

/** Runs the command in this process, with streams and an environment of its own. */
export async function runCli(args: string[], options: Options = {}): Promise<Ran> {
  const { env = {}, cwd = process.cwd(), typed, onStderr = () => {} } = options
  const isTTY = typed !== undefined
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written, onText = (_: string) => {}) =>
    Object.assign(
      new Writable({
        decodeStrings: false,
        write(text: string, _, done) {
          written[name] += text
          onText(text)
          done()
        },
      }),
      { isTTY },
    )
  const stdin = Object.assign(Readable.from(isTTY ? [typed] : []), { isTTY })
  const io = { stdin, stdout: stream('stdout'), stderr: stream('stderr', onStderr), env, cwd }
  return { code: await run(args, io), ...written }
}

/** Runs the command on a database. */
export function cli(url: string, ...args: string[]): Promise<Ran> {
  return runCli(args, { env: { DATABASE_URL: url } })
}

/** The same with `--json`; the document is what it printed. */
export async function cliJson(url: string, ...args: string[]) {
  const { code, stdout, stderr } = await cli(url, ...args, '--json')
  return { code, document: JSON.parse(stdout), stderr }
}
