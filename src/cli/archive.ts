import { type ArchiveReport, dropArchive, readArchive } from '../migrate.ts'
import { type Command, exitCodes, UsageError } from './command.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'
import { explainLocks, lockOptions, lockSettings } from './locks.ts'
import { columns, type Output } from './output.ts'

export const command: Command = {
  positionals: true,
  options: { yes: { type: 'boolean' }, ...lockOptions },
  explain: { yes: 'do not ask before dropping', ...explainLocks },
  async run({ positionals, values }, output) {
    const [action, ...rest] = positionals
    if ((action !== undefined && action !== 'drop') || rest.length > 0) {
      throw new UsageError(`archive ${positionals.join(' ')}: say archive, or archive drop`)
    }
    const locks = lockSettings(values, output)
    return await withDatabase(output, async db => {
      const found = await readArchive(db)
      reportArchive(found, output)
      if (action === undefined) {
        output.result(found)
        return exitCodes.done
      }
      if (!found.kept) {
        output.line('nothing to drop')
        output.result({ dropped: null })
        return exitCodes.done
      }
      const question =
        'Drop the archive? A rollback past the step that dropped the old tables will be refused.'
      await confirm(question, values.yes === true)
      output.result({ dropped: await dropArchive(db, locks) })
      output.line('dropped')
      return exitCodes.done
    })
  },
}

function reportArchive({ kept, since, tables }: ArchiveReport, output: Output): void {
  output.line(kept ? `kept since ${since ?? 'an unknown time'}` : 'nothing is kept for the way back')
  if (tables.length === 0) return
  if (!kept) output.line('and this waits for the next way up')
  const rows = tables.map(({ name, rows, bytes }) => [name, String(rows), `${Math.ceil(bytes / 1024)} kB`])
  for (const line of columns([['table', 'rows', 'size'], ...rows])) output.line(line)
}
