import { type AdoptReport, adopt } from '../migrate.ts'
import { type Command, exitCodes } from './command.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'
import type { Output } from './output.ts'

export const command: Command = {
  options: { yes: { type: 'boolean' } },
  explain: { yes: 'do not ask' },
  async run({ values }, output) {
    return await withDatabase(output, async db => {
      const plan = await adopt(db, { dryRun: true })
      reportPlan(plan, output)
      if (plan.recorded.length === 0) {
        output.result(plan)
        return exitCodes.done
      }
      await confirm('Record these migrations as applied?', values.yes === true)
      output.result(await adopt(db))
      output.line('adopted; `migrate` goes on from here')
      return exitCodes.done
    })
  },
}

function reportPlan({ at, recorded, replaced }: AdoptReport, output: Output): void {
  if (recorded.length === 0) {
    output.line(`nothing to adopt: the ledger is there, and ends with ${at}`)
    return
  }
  output.line(`the database is as ${at} leaves it`)
  for (const { difference, by } of replaced) output.line(`${difference.message}\n  ${by} will set it anew`)
  for (const name of recorded) output.line(`to be recorded as applied: ${name}`)
}
