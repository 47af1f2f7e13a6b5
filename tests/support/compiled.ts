import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hashOf } from './hash.ts'
import { cache, root } from './root.ts'

let compiling: Promise<string> | undefined

/** The path of a file of the project, compiled: a process of its own starts in a third of the time. */
export async function compiled(file: string): Promise<string> {
  compiling ??= compile()
  return join(await compiling, file.replace(/\.ts$/, '.js'))
}

/** Compiles the code, unless that was done before, and sets beside it what it reads. */
async function compile(): Promise<string> {
  const name = `compiled-${hashOf('src', 'tests/support')}`
  const directory = join(cache, name)
  if (await stat(directory).catch(() => undefined)) return directory
  const unfinished = `${directory}.${process.pid}`
  // Inside node_modules, so that what the code imports is found.
  await mkdir(unfinished, { recursive: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', 'false', '--noCheck', '--rootDir', '.', '--outDir', unfinished]
  await promisify(execFile)(process.execPath, [tsc, ...options], { cwd: root })
  for (const linked of ['drizzle', 'seeds', 'package.json']) {
    await symlink(join(root, linked), join(unfinished, linked))
  }
  for (const folder of ['catalog', 'local', 'platform/probes']) {
    await cp(join(root, 'src', folder), join(unfinished, 'src', folder), {
      recursive: true,
      filter: path => !path.endsWith('.ts'),
    })
  }
  for (const old of await readdir(cache)) {
    const path = join(cache, old)
    // Another run may use the code of a moment ago, but not yesterday's.
    const age = Date.now() - (await stat(path)).mtimeMs
    if (old.startsWith('compiled-') && age > 86_400_000) await rm(path, { recursive: true, force: true })
  }
  // Another worker may have been faster: then its directory stays.
  await rename(unfinished, directory).catch(() => rm(unfinished, { recursive: true, force: true }))
  return directory
}
