import { compiled } from './compiled.ts'
import { type Ran, run } from './process.ts'

/** Runs the command as its user does: a process of its own, in `cwd`, with nothing of the test's environment. */
export async function runCli(
  args: string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<Ran> {
  return await run(process.execPath, [await compiled('src/cli/main.ts'), ...args], options)
}
