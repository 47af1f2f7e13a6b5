import { InvalidArgumentError } from 'commander'
import type { MigrateOptions } from '../migrate.ts'
import type { Cli } from './cli.ts'

/** Options of the commands that wait for locks: `.option(...lockTimeout).option(...retries)`. */
export const lockTimeout = ['--lock-timeout <ms>', 'longest wait for a lock', wholeNumber(1), 100] as const
export const retries = ['--retries <n>', 'retries after a lock timeout', wholeNumber(0), 100] as const

/** Parses the value of an option. PostgreSQL's numbers of milliseconds end at the default `most`. */
function wholeNumber(least: number, most = 2 ** 31 - 1): (value: string) => number {
  return value => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  }
}

/** Reports each migration when it begins and when it is committed, and what it waits for. */
export function progress(
  cli: Cli,
  doing: string,
  done: string,
): Pick<MigrateOptions, 'onStart' | 'onDone' | 'onWait'> {
  return {
    onStart: name => cli.note(`${doing} ${name}`),
    onDone: (name, milliseconds) => cli.done(`${done} ${name} (${Math.round(milliseconds)} ms)`),
    onWait: waiting(cli),
  }
}

/** Reports what it waits for when that changes, and otherwise every tenth attempt. */
export function waiting(cli: Cli): NonNullable<MigrateOptions['onWait']> {
  let last = ''
  return ({ message, attempt }) => {
    const blocker = message.replace(/ for \d+ s$/gm, '')
    if (blocker !== last) cli.note(attempt > 0 ? `${message}\nTrying again.` : message)
    else if (attempt > 0 && attempt % 10 === 0) cli.note(`still waiting, ${attempt} attempts so far`)
    last = blocker
  }
}
