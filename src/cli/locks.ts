import type { MigrateOptions } from '../migrate.ts'
import { UsageError } from './command.ts'
import type { Output } from './output.ts'

/** The options of every command that waits for locks. */
export const lockOptions = {
  'lock-timeout': { type: 'string' },
  retries: { type: 'string' },
} as const

export const explainLocks = {
  'lock-timeout MS': 'wait no longer than this for a lock, in milliseconds (100)',
  'retries N': 'try a step again this often after a lock was not to be had (100)',
}

/** Tells of each step as it begins, and once it is committed. */
export function tellSteps(
  doing: string,
  done: string,
  output: Output,
): Pick<MigrateOptions, 'onStart' | 'onDone'> {
  return {
    onStart: name => output.note(`${doing} ${name}`),
    onDone: (name, milliseconds) => output.line(`${done} ${name} (${Math.round(milliseconds)} ms)`),
  }
}

/** How a command waits, as its options say, telling the user what it waits for. */
export function lockSettings(
  values: Record<string, string | boolean | undefined>,
  output: Output,
): Pick<MigrateOptions, 'lockTimeout' | 'retries' | 'onWait'> {
  const lockTimeout = wholeNumber('lock-timeout', values['lock-timeout'], 1)
  const retries = wholeNumber('retries', values.retries, 0)
  return {
    ...(lockTimeout !== undefined && { lockTimeout }),
    ...(retries !== undefined && { retries }),
    onWait: noteChanges(output),
  }
}

/** PostgreSQL's largest number of milliseconds. */
const most = 2 ** 31 - 1

function wholeNumber(name: string, value: string | boolean | undefined, least: number): number | undefined {
  if (typeof value !== 'string') return undefined
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= least && number <= most) return number
  throw new UsageError(
    `--${name} takes a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`,
  )
}

/** Says what is waited for when it changes, and else only that it goes on, now and then. */
function noteChanges(output: Output): NonNullable<MigrateOptions['onWait']> {
  let last = ''
  return ({ message, attempt }) => {
    const words = message.replace(/ for \d+ s$/gm, '')
    if (words !== last) output.note(attempt > 0 ? `${message}\nTrying again.` : message)
    else if (attempt > 0 && attempt % 10 === 0) output.note(`still waiting, ${attempt} attempts so far`)
    last = words
  }
}
