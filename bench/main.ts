import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What can be measured, the quick ones first; each in a process of its own. */
const benches: Record<string, URL> = {
  startup: new URL('./startup.ts', import.meta.url),
  check: new URL('./check.ts', import.meta.url),
  types: new URL('./types.ts', import.meta.url),
  seed: new URL('./seed.ts', import.meta.url),
  agents: new URL('./agents.ts', import.meta.url),
  migrate: new URL('./migrate.ts', import.meta.url),
  online: new URL('./online.ts', import.meta.url),
}

const args = process.argv.slice(2).filter(arg => arg !== '--')
const names = args.filter(arg => !arg.startsWith('-'))
const options = args.filter(arg => arg.startsWith('-'))
const unknown = names.filter(name => !Object.hasOwn(benches, name))

if (unknown.length > 0 || (options.length > 0 && names.length !== 1)) {
  const help = options.includes('--help')
  console[help ? 'log' : 'error'](
    `usage: pnpm bench [NAME ...], or pnpm bench NAME --help for the options of one\n${Object.keys(benches).join(' ')}`,
  )
  process.exit(help ? 0 : 2)
}

for (const name of names.length > 0 ? names : Object.keys(benches)) {
  if (options.length === 0) console.log(`\n== ${name}`)
  const script = fileURLToPath(benches[name] ?? '')
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...options], {
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) process.exitCode = 1
}
