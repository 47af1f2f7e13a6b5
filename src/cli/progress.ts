import type { MigrateOptions } from '../migrate.ts'
import type { Cli } from './cli.ts'

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
    // How long the others have been at it does not count.
    const blocker = message.replace(/\d+ s\b/g, '')
    if (blocker !== last) cli.note(attempt > 0 ? `${message}\nTrying again.` : message)
    else if (attempt > 0 && attempt % 10 === 0) cli.note(`still waiting, ${attempt} attempts so far`)
    last = blocker
  }
}
