import { type ArchiveReport, dropArchive, readArchive } from '../migrate.ts'
import type { Cli, Define } from './cli.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'
import { lockTimeout, retries } from './options.ts'
import { waiting } from './progress.ts'

export const define: Define = (command, cli) => {
  command.action(async () => {
    const report = await withDatabase(cli, (db, where) => readArchive(db, where))
    reportArchive(report, cli)
    cli.finish(report)
  })
  command
    .command('drop')
    .description('delete the data kept for rollback')
    .option('--yes', 'do not ask')
    .option(...lockTimeout)
    .option(...retries)
    .action(async ({ yes, ...locks }) => {
      await withDatabase(cli, async (db, where) => {
        const found = await readArchive(db, where)
        reportArchive(found, cli)
        if (!found.kept) {
          cli.line('nothing to drop')
          return cli.finish({ dropped: null })
        }
        const consequence = 'A rollback past the migration that dropped the old tables will then be refused.'
        await confirm(cli, `Drop the archive? ${consequence}`, yes)
        const dropped = await dropArchive(db, { ...where, ...locks, onWait: waiting(cli) })
        cli.done('dropped')
        cli.finish({ dropped })
      })
    })
}

function reportArchive({ kept, since, tables }: ArchiveReport, cli: Cli): void {
  cli.line(kept ? `kept since ${since ?? 'an unknown time'}` : 'nothing is kept for rollback')
  if (tables.length === 0) return
  if (!kept) cli.line('these rows are restored by the next `migrate`')
  const rows = tables.map(({ name, rows, bytes }) => [name, rows, `${Math.ceil(bytes / 1024)} kB`])
  cli.table(['table', 'rows', 'size'], rows)
}
