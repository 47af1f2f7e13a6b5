import type { Command as TypedCommand } from '@commander-js/extra-typings'
import { Command, CommanderError } from 'commander'
import { type Define, exitCodes, version } from './cli.ts'
import { explain } from './explain.ts'
import type { Io } from './io.ts'
import { ledger } from './options.ts'
import { createOutput } from './output.ts'

/** In the order of `--help`. Each module is loaded only when its command is called. */
const commands: Record<string, [description: string, load: () => Promise<{ define: Define }>]> = {
  start: ['migrate, seed and check the database, and show what it holds', () => import('./start.ts')],
  migrate: ['apply the pending migrations, or show what that would do', () => import('./migrate.ts')],
  rollback: ['undo the last migration, or everything after a given one', () => import('./rollback.ts')],
  seed: ['make the models and agents match two YAML files', () => import('./seed.ts')],
  status: ['list the migrations: applied, pending, edited, unknown', () => import('./status.ts')],
  check: ['compare the database with its migrations, and try it out', () => import('./check.ts')],
  adopt: ['take over a database built by another tool, such as Alembic', () => import('./adopt.ts')],
  repair: ['accept edited scripts of applied migrations, without running them', () => import('./repair.ts')],
  archive: ['show the data kept for rollback, or delete it', () => import('./archive.ts')],
  db: ['start, stop or reset the local PostgreSQL, or print its URL', () => import('./db.ts')],
}

const notes = `
DATABASE_URL, in the environment or in .env, selects the database. Without it the commands use a local
PostgreSQL, which they start when needed and keep in .data. AGENTS_DB_PORT sets its port. AGENTS_DB_LEDGER does what
--ledger does, for drizzle-kit too.

Exit codes: 0 done or clean; 1 error; 2 wrong usage; 3 pending migrations (status, check);
4 drift (status, check, start) or a failed probe (check, migrate).`

/** Errors that do not exit with 1. */
const exitCodeOf: Record<string, number> = {
  USAGE: exitCodes.usage,
  UNKNOWN_NAME: exitCodes.usage,
  PROBE_FAILED: exitCodes.drift,
}

/** Runs one command line and returns its exit code. Touches nothing of the process but `io`. */
export async function run(argv: string[], io: Io): Promise<number> {
  const isScript = io.env.npm_lifecycle_event && io.env.npm_package_name === '@agents/db'
  const program = createProgram(io)
  const output = createOutput(io, () => program.opts().json === true)
  const cli = {
    ...output,
    io,
    self: isScript ? 'pnpm' : 'agents-db',
    get ledger() {
      return program.opts().ledger
    },
  }
  for (const [name, [description]] of Object.entries(commands)) program.command(name).description(description)
  program.hook('preSubcommand', async (_, command) => {
    const module = await commands[command.name()]?.[1]()
    module?.define(command as unknown as TypedCommand, cli)
  })
  try {
    await program.parseAsync(normalise(argv), { from: 'user' })
  } catch (error) {
    // Commander throws after --help and --version too.
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done
    const failure =
      error instanceof CommanderError ? explainUsage(error, program.args[0], cli.self) : explain(error)
    output.error(failure.message)
    output.finish({ error: failure }, exitCodeOf[failure.code] ?? exitCodes.error)
  }
  return output.exitCode()
}

/** Drops the dashes that `pnpm migrate -- --to x` passes on, and turns `help migrate` into `migrate --help`. */
function normalise(argv: string[]): string[] {
  const at = argv.indexOf('--')
  const words = at === 0 || at === 1 ? argv.toSpliced(at, 1) : argv
  return words[0] === 'help' ? [...words.slice(1), '--help'] : words
}

function createProgram({ stdout, stderr }: Io) {
  const program = new Command('agents-db') as unknown as TypedCommand
  return program
    .version(version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--json', 'print one JSON document on stdout; messages go to stderr')
    .option(...ledger)
    .helpCommand(false)
    .addHelpText('after', notes)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: text => stdout.write(text),
      writeErr: text => stderr.write(text),
      // `run` reports them, like all errors.
      outputError: () => {},
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    })
}

/** Commander's message, and where help is. */
function explainUsage({ code, message }: CommanderError, command = '', self: string) {
  const diagnostic = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '')
  const program = self === 'pnpm' ? 'pnpm agents-db' : self
  const help = Object.hasOwn(commands, command) ? `${program} ${command} --help` : `${program} --help`
  return { code: 'USAGE', message: `${diagnostic}\nSee \`${help}\`.` }
}
