#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Command, exitCodes, UsageError } from './command.ts'
import { codeOf, explain } from './explain.ts'
import { columns, createOutput, type Output } from './output.ts'

/** Loaded only when asked for, so that each command pays for itself alone. */
const commands: Record<string, () => Promise<{ command: Command }>> = {
  start: () => import('./start.ts'),
  migrate: () => import('./migrate.ts'),
  rollback: () => import('./rollback.ts'),
  seed: () => import('./seed.ts'),
  status: () => import('./status.ts'),
  check: () => import('./check.ts'),
  adopt: () => import('./adopt.ts'),
  repair: () => import('./repair.ts'),
  archive: () => import('./archive.ts'),
  db: () => import('./db.ts'),
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await main(process.argv.slice(2))

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(await overview())
    return name === undefined ? exitCodes.usage : exitCodes.done
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`)
    return exitCodes.done
  }
  try {
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!load) throw new UsageError(`there is no command ${name}`)
    const { command } = await load()
    return await runCommand(command, rest)
  } catch (error) {
    return report(error, createOutput(rest.includes('--json')))
  }
}

async function runCommand(command: Command, argv: string[]): Promise<number> {
  // `pnpm migrate -- --to x` passes the dashes on.
  const args = argv[0] === '--' ? argv.slice(1) : argv
  const { values, positionals } = parse(command, args)
  if (values.help) {
    process.stdout.write(help(command))
    return exitCodes.done
  }
  if (positionals.length > 0 && !command.positionals) {
    throw new UsageError(`unexpected ${positionals.join(' ')}; usage: agents-db ${command.usage}`)
  }
  return await command.run({ positionals, values }, createOutput(values.json === true))
}

function parse(command: Command, args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { ...command.options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    }) as { values: Record<string, string | boolean | undefined>; positionals: string[] }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nusage: agents-db ${command.usage}`)
  }
}

function report(error: unknown, output: Output): number {
  const usage = error instanceof UsageError
  const message = explain(error)
  output.note(usage ? `${message}\n\`agents-db --help\` lists the commands.` : message)
  output.result({ error: { code: usage ? 'USAGE' : codeOf(error), message } })
  if (usage) return exitCodes.usage
  return codeOf(error) === 'PROBE_FAILED' ? exitCodes.drift : exitCodes.error
}

async function overview(): Promise<string> {
  const loaded = await Promise.all(Object.values(commands).map(load => load()))
  return [
    'agents-db: the database of the AI-agent platform',
    '',
    'Commands:',
    ...columns(loaded.map(({ command }) => [`  ${command.usage}`, command.summary])),
    '',
    'Every command takes --json (one JSON document on stdout; messages go to stderr) and --help.',
    'DATABASE_URL, in the environment or in .env, says which database; without it a local PostgreSQL is',
    'started under .data/.',
    'Exit codes: 0 done; 1 error; 2 usage; 3 pending migrations; 4 drift or a failed probe.',
    '',
  ].join('\n')
}

function help(command: Command): string {
  const options = [
    ...Object.entries(command.explain),
    ['json', 'one JSON document on stdout; messages go to stderr'],
  ]
  return [
    `usage: agents-db ${command.usage}`,
    '',
    command.summary,
    '',
    ...columns(options.map(([option, meaning]) => [`  --${option}`, meaning ?? ''])),
    '',
  ].join('\n')
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return manifest.version
}
