import { rollback } from '../migrate.ts'
import type { Define } from './cli.ts'
import { withDatabase } from './connect.ts'
import { ignore, lockTimeout, retries } from './options.ts'
import { progress } from './progress.ts'

export const define: Define = (command, cli) => {
  command
    .option('--to <name>', 'undo everything after this migration')
    .option(...lockTimeout)
    .option(...retries)
    .option(...ignore)
    .action(async options => {
      const report = await withDatabase(cli, (db, where) =>
        rollback(db, { ...where, ...options, ...progress(cli, 'undoing', 'undid') }),
      )
      if (report.undone.length === 0) cli.line('nothing to roll back')
      cli.finish(report)
    })
}
