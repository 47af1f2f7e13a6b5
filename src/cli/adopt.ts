import { adopt } from '../migrate.ts'
import { accept, addAccepted, readAccepted, reportAccepted } from './accepted.ts'
import type { Define } from './cli.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'
import { waiting } from './progress.ts'

export const define: Define = (command, cli) => {
  command
    .option('--yes', 'do not ask')
    .option(...accept)
    .action(async ({ yes, accept }) => {
      let accepted = readAccepted(cli.io)
      await withDatabase(cli, async (db, where) => {
        const plan = await adopt(db, { ...where, dryRun: true, accepted }).catch(error => {
          if (!accept || error.code !== 'NOT_ADOPTABLE' || !Array.isArray(error.cause)) throw error
          accepted = addAccepted(cli, error.cause)
          return adopt(db, { ...where, dryRun: true, accepted })
        })
        const { at, recorded, replaced } = plan
        if (recorded.length === 0) {
          cli.line(`nothing to adopt: the ledger already exists and ends with ${at}`)
          return cli.finish(plan)
        }
        cli.line(`database matches ${at}`)
        for (const { difference, by } of replaced)
          cli.line(`${difference.message}\n  ${by} will correct this`)
        reportAccepted(plan.accepted, cli)
        for (const name of recorded) cli.line(`will be recorded as applied: ${name}`)
        await confirm(cli, 'Record these migrations as applied?', yes)
        const report = await adopt(db, { ...where, accepted, onWait: waiting(cli) })
        cli.done(`adopted; \`${cli.self} migrate\` continues from here`)
        cli.finish(report)
      })
    })
}
