import { status } from '../migrate.ts'
import { type Command, exitCodes } from './command.ts'
import { withDatabase } from './connect.ts'

export const command: Command = {
  options: {},
  explain: {},
  async run(_, output) {
    const report = await withDatabase(output, db => status(db))
    for (const { name, appliedAt } of report.applied) {
      const state = report.edited.includes(name) ? 'edited ' : 'applied'
      output.line(`${state}  ${name}  ${appliedAt ?? ''}`.trimEnd())
    }
    for (const name of report.unknown) output.line(`unknown  ${name}  (applied, but not of this version)`)
    for (const name of report.pending) output.line(`pending  ${name}`)
    output.result(report)
    if (report.edited.length + report.unknown.length > 0) return exitCodes.drift
    return report.pending.length > 0 ? exitCodes.pending : exitCodes.done
  },
}
