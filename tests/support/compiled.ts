import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { isAlive } from '../../src/local/temporary.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Inside node_modules, so that what the code imports is found. */
const cache = join(root, 'node_modules/.cache/agents-db-tests')

/** The path of a file of the project, compiled: a process of its own starts in a third of the time. */
export function compiled(file: string): string {
  return join(inject('compiled'), file.replace(/\.ts$/, '.js'))
}

/** Compiles the code once for a test run, and sets beside it what it reads. */
export async function compile(): Promise<string> {
  for (const name of await readdir(cache).catch(() => [])) {
    // A killed run removes nothing.
    if (!isAlive(Number(name))) await rm(join(cache, name), { recursive: true, force: true })
  }
  const directory = join(cache, String(process.pid))
  await mkdir(directory, { recursive: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', 'false', '--noCheck', '--rootDir', '.', '--outDir', directory]
  await promisify(execFile)(process.execPath, [tsc, ...options], { cwd: root })
  for (const name of ['drizzle', 'seeds', 'package.json']) {
    await symlink(join(root, name), join(directory, name))
  }
  for (const name of ['local', 'probes']) {
    await cp(join(root, 'src', name), join(directory, 'src', name), {
      recursive: true,
      filter: path => !path.endsWith('.ts'),
    })
  }
  return directory
}

export async function removeCompiled(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}
