import { repair } from '../migrate.ts'
import { type Command, exitCodes } from './command.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'

export const command: Command = {
  options: { yes: { type: 'boolean' } },
  explain: { yes: 'do not ask' },
  async run({ values }, output) {
    return await withDatabase(output, async db => {
      const edited = await repair(db, { dryRun: true })
      for (const { name, recorded, file } of edited) {
        output.line(`${name}/migration.sql\n  applied: ${recorded}\n  now:     ${file}`)
      }
      if (edited.length === 0) {
        output.line('every applied migration is as its file says')
        output.result({ repaired: [] })
        return exitCodes.done
      }
      await confirm('Record these files as what was applied?', values.yes === true)
      output.result({ repaired: await repair(db) })
      output.line('accepted')
      return exitCodes.done
    })
  },
}
