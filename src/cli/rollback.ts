import { rollback } from '../migrate.ts'
import { type Command, exitCodes } from './command.ts'
import { withDatabase } from './connect.ts'
import { explainLocks, lockOptions, lockSettings, tellSteps } from './locks.ts'

export const command: Command = {
  options: { to: { type: 'string' }, ...lockOptions },
  explain: { 'to NAME': 'undo everything after the migration of this name', ...explainLocks },
  async run({ values }, output) {
    const { to } = values
    const locks = lockSettings(values, output)
    const report = await withDatabase(output, db =>
      rollback(db, {
        ...(typeof to === 'string' && { to }),
        ...locks,
        ...tellSteps('undoing', 'undid', output),
      }),
    )
    if (report.undone.length === 0) output.line('nothing to roll back')
    output.result(report)
    return exitCodes.done
  },
}
