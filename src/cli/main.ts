#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { didYouMean } from '../nearest.ts'
import { type Command, exitCodes, UsageError } from './command.ts'
import { codeOf, explain } from './explain.ts'
import { columns, createOutput, type Output } from './output.ts'

interface Entry {
  /** The words and options it takes. */
  usage: string
  summary: string
  /** Loaded only when asked for, so that each command pays for itself alone, and this list for none. */
  load: () => Promise<{ command: Command }>
}

const commands: Record<string, Entry> = {
  start: {
    usage: 'start [--yes]',
    summary: 'local PostgreSQL (or DATABASE_URL), migrations, seed, check, and a summary',
    load: () => import('./start.ts'),
  },
  migrate: {
    usage: 'migrate [--to NAME] [--plan] [--lock-timeout MS] [--retries N]',
    summary: 'apply the pending migrations, or say what that would do',
    load: () => import('./migrate.ts'),
  },
  rollback: {
    usage: 'rollback [--to NAME] [--lock-timeout MS] [--retries N]',
    summary: 'undo the last migration, or all after NAME',
    load: () => import('./rollback.ts'),
  },
  seed: {
    usage: 'seed [--llms FILE] [--agents FILE] [--dry-run] [--prune [--yes]]',
    summary: 'bring models and agents to what the YAML files say',
    load: () => import('./seed.ts'),
  },
  status: {
    usage: 'status',
    summary: 'say which migrations are applied, pending (exit 3), or edited or unknown (exit 4)',
    load: () => import('./status.ts'),
  },
  check: {
    usage: 'check',
    summary:
      'say whether the database is what its migrations say (exit 4 if not, 3 if some are pending), and try it out',
    load: () => import('./check.ts'),
  },
  adopt: {
    usage: 'adopt [--yes]',
    summary: 'take over a database that other means have built: find where it stands, and record that',
    load: () => import('./adopt.ts'),
  },
  repair: {
    usage: 'repair [--yes]',
    summary: 'accept edited files of applied migrations; runs nothing of them',
    load: () => import('./repair.ts'),
  },
  archive: {
    usage: 'archive [drop [--yes] [--lock-timeout MS] [--retries N]]',
    summary: 'say what is kept for the way back, or end it',
    load: () => import('./archive.ts'),
  },
  db: {
    usage: 'db start|stop|url|reset [--port N] [--yes]',
    summary: 'the local PostgreSQL: start it, stop it, print its URL, or throw its data away',
    load: () => import('./db.ts'),
  },
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// What is committed stays; the transaction at work ends with the connection.
process.once('SIGINT', () => {
  process.stderr.write('\ninterrupted; what is committed stays, and the same command goes on from there\n')
  process.exit(130)
})

process.exitCode = await main(process.argv.slice(2))

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview())
    return name === undefined ? exitCodes.usage : exitCodes.done
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`)
    return exitCodes.done
  }
  try {
    const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!entry)
      throw new UsageError(
        `there is no command ${name}${didYouMean(name, Object.keys(commands))}; --help lists them`,
      )
    return await runCommand(entry, rest)
  } catch (error) {
    return report(error, createOutput(rest.includes('--json')))
  }
}

async function runCommand(entry: Entry, argv: string[]): Promise<number> {
  const { command } = await entry.load()
  // `pnpm migrate -- --to x` passes the dashes on.
  const args = argv[0] === '--' ? argv.slice(1) : argv
  const { values, positionals } = parse(entry, command, args)
  if (values.help) {
    process.stdout.write(help(entry, command))
    return exitCodes.done
  }
  if (positionals.length > 0 && !command.positionals) {
    throw new UsageError(`unexpected ${positionals.join(' ')}; usage: agents-db ${entry.usage}`)
  }
  return await command.run({ positionals, values }, createOutput(values.json === true))
}

function parse({ usage }: Entry, command: Command, args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { ...command.options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    }) as { values: Record<string, string | boolean | undefined>; positionals: string[] }
  } catch (error) {
    const { message } = error as Error
    // Node has two sentences for this, one of them about an argument that is "ambiguous".
    const [, option] =
      /^Option '(?:-\w, )?(--[\w-]+).*' argument (?:missing|is ambiguous)/.exec(message) ?? []
    const reason = option
      ? `${option} needs a value; one that begins with a dash is written ${option}=-…`
      : message.split('. ')[0]
    throw new UsageError(`${reason}\nusage: agents-db ${usage}`)
  }
}

function report(error: unknown, output: Output): number {
  const message = explain(error)
  const code = error instanceof UsageError ? 'USAGE' : codeOf(error)
  output.note(message)
  output.result({ error: { code, message } })
  if (code === 'USAGE' || code === 'UNKNOWN_NAME') return exitCodes.usage
  return code === 'PROBE_FAILED' ? exitCodes.drift : exitCodes.error
}

function overview(): string {
  return [
    'agents-db: the database of the AI-agent platform',
    '',
    'Commands:',
    ...columns(Object.entries(commands).map(([name, { summary }]) => [`  ${name}`, summary])),
    '',
    'Every command takes --help, and --json: one JSON document on stdout; messages go to stderr.',
    'DATABASE_URL, in the environment or in .env, says which database; without it a local PostgreSQL is',
    'started under .data/, on port AGENTS_DB_PORT if that is set.',
    'Exit codes: 0 done; 1 error; 2 usage; 3 pending migrations; 4 drift or a failed probe.',
    '',
  ].join('\n')
}

function help({ usage, summary }: Entry, command: Command): string {
  const options = [
    ...Object.entries(command.explain),
    ['json', 'one JSON document on stdout; messages go to stderr'],
  ]
  return [
    `usage: agents-db ${usage}`,
    '',
    summary,
    '',
    ...columns(options.map(([option, meaning]) => [`  --${option}`, meaning ?? ''])),
    '',
  ].join('\n')
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return manifest.version
}
