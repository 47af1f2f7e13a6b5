import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const drizzleKit = join(root, 'node_modules/.bin/drizzle-kit')

/** Runs `work` with the command as it is published: built, in a copy of the package, so that nobody changes it meanwhile. */
export async function withBuiltCommand(work: (main: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-built-'))
  try {
    for (const name of ['drizzle', 'package.json', 'src', 'tsconfig.json', 'tsconfig.build.json']) {
      await cp(join(root, name), join(directory, name), { recursive: true })
    }
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    await run('npm', ['run', '--silent', 'build'], { cwd: directory })
    await work(join(directory, 'dist/cli/main.js'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

interface RunOptions {
  cwd?: string
  /** Beside PATH and HOME. */
  env?: Record<string, string>
}

/** Runs a program to its end, and fails where it does, with what it said. */
export async function run(program: string, args: string[], { cwd = root, env = {} }: RunOptions = {}) {
  const { PATH, HOME } = process.env
  const child = spawn(program, args, { cwd, env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}\n${said}`)
}
