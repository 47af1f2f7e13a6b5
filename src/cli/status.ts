import { status } from '../migrate.ts'
import { ANOTHER_LEDGER } from '../migrator/ledger.ts'
import { type Define, exitCodes } from './cli.ts'
import { withDatabase } from './connect.ts'

export const define: Define = (command, cli) => {
  command.action(async () => {
    const report = await withDatabase(cli, (db, where) => status(db, where))
    const { applied, edited, unknown, pending } = report
    for (const { name, appliedAt } of applied) {
      cli.line(`applied  ${name}  ${appliedAt ?? ''}`.trimEnd())
    }
    for (const file of edited) cli.line(`edited   ${file}`)
    for (const name of unknown) cli.line(`unknown  ${name}  (applied, but not in this version)`)
    if (unknown.length > 0 && applied.length === 0) cli.note(ANOTHER_LEDGER)
    for (const name of pending) cli.line(`pending  ${name}`)
    const unfinished = pending.length > 0 ? exitCodes.pending : exitCodes.done
    cli.finish(report, edited.length + unknown.length > 0 ? exitCodes.drift : unfinished)
  })
}
