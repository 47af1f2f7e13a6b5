import { type MigrateReport, migrate } from '../migrations/index.ts'
import { type Command, exitCodes } from './command.ts'
import { withDatabase } from './connect.ts'
import { explainLocks, lockOptions, lockSettings } from './locks.ts'
import { count, type Output } from './output.ts'

export const command: Command = {
  usage: 'migrate [--to NAME]',
  summary: 'apply the pending migrations',
  options: { to: { type: 'string' }, ...lockOptions },
  explain: { 'to NAME': 'stop after the migration of this name', ...explainLocks },
  async run({ values }, output) {
    const { to } = values
    const report = await withDatabase(output, db =>
      migrate(db, {
        ...(typeof to === 'string' && { to }),
        ...lockSettings(values, output),
        onStep: name => output.note(`applying ${name}`),
      }),
    )
    reportMigrations(report, output)
    output.result(report)
    return exitCodes.done
  },
}

export function reportMigrations({ applied, already }: MigrateReport, output: Output): void {
  for (const { name, milliseconds } of applied)
    output.line(`applied ${name} (${Math.round(milliseconds)} ms)`)
  if (applied.length === 0) output.line(`nothing to migrate: ${count(already, 'migration')} applied before`)
}
