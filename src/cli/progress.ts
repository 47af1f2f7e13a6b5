import type { MigrateOptions, Progress } from '../migrate.ts'
import type { Cli } from './cli.ts'

/** Reports each migration when it begins and when it is committed, what it waits for, and how far its batches are. */
export function progress(
  cli: Cli,
  doing: string,
  done: string,
): Pick<MigrateOptions, 'onFinding' | 'onStart' | 'onDone' | 'onWait' | 'onProgress'> {
  return {
    onFinding: ({ message }) => cli.note(message),
    onStart: name => cli.note(`${doing} ${name}`),
    onDone: (name, milliseconds) => cli.done(`${done} ${name} (${Math.round(milliseconds)} ms)`),
    onWait: waiting(cli),
    onProgress: batches(cli),
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

/** A bar while rows are moved, and in the end what came of it. */
function batches(cli: Cli): NonNullable<MigrateOptions['onProgress']> {
  let place = ''
  let first = { rows: 0, at: 0 }
  return progress => {
    if (progress.place !== place) first = { rows: progress.rows, at: performance.now() }
    place = progress.place
    if (!progress.done) return cli.bar(barOf(progress, first))
    for (const [what, count] of Object.entries(progress.counts)) if (count > 0) cli.note(`${count} ${what}`)
  }
}

const WIDTH = 20

function barOf({ table, rows, total }: Progress, first: { rows: number; at: number }): string {
  if (total === null || total < rows) return `${table}: ${rows} rows`
  const part = rows / total
  const bar = '='.repeat(Math.floor(part * WIDTH)).padEnd(WIDTH)
  const perRow = (performance.now() - first.at) / (rows - first.rows)
  const left = Number.isFinite(perRow) ? `, ${Math.ceil((perRow * (total - rows)) / 1000)} s left` : ''
  return `${table}: [${bar}] ${rows} of about ${total} rows, ${Math.floor(part * 100)} %${left}`
}
