import { parseArgs } from 'node:util'
import type { Sizes } from './measure.ts'

// `pnpm bench` measures everything, `pnpm bench NAME ...` some of it.

/** What we can measure, the quick ones first. */
const benches: Record<string, () => Promise<{ default: (sizes: Sizes) => Promise<void> }>> = {
  startup: () => import('./startup.ts'),
  check: () => import('./check.ts'),
  seed: () => import('./seed.ts'),
  agents: () => import('./agents.ts'),
  migrate: () => import('./migrate.ts'),
  online: () => import('./online.ts'),
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter(argument => argument !== '--'),
  allowPositionals: true,
  options: { rounds: { type: 'string' }, users: { type: 'string' }, help: { type: 'boolean' } },
})
const unknown = positionals.filter(name => !Object.hasOwn(benches, name))
if (values.help || unknown.length > 0) {
  const usage = `usage: pnpm bench [${Object.keys(benches).join(' | ')}] ... [--rounds=N] [--users=N]`
  console.error(unknown.length > 0 ? `no such bench: ${unknown.join(', ')}\n${usage}` : usage)
  process.exit(unknown.length > 0 ? 2 : 0)
}

const sizes: Sizes = {
  ...(values.rounds && { rounds: Number(values.rounds) }),
  ...(values.users && { users: Number(values.users) }),
}
for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
  const bench = await benches[name]?.()
  await bench?.default(sizes)
}
