import { repair } from '../migrate.ts'
import type { Define } from './cli.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'
import { waiting } from './progress.ts'

export const define: Define = (command, cli) => {
  command.option('--yes', 'do not ask').action(async ({ yes }) => {
    await withDatabase(cli, async (db, where) => {
      const edited = await repair(db, { ...where, dryRun: true })
      for (const { file, recorded, now } of edited) {
        cli.line(`${file}\n  applied: ${recorded}\n  now:     ${now ?? 'removed'}`)
      }
      if (edited.length === 0) {
        cli.line('every applied migration matches its files')
        return cli.finish({ repaired: [] })
      }
      await confirm(cli, 'Accept these files as what was applied?', yes)
      const repaired = await repair(db, { ...where, onWait: waiting(cli) })
      cli.done('accepted')
      cli.finish({ repaired })
    })
  })
}
