import {
  type MigrateReport,
  migrate,
  type PlannedLock,
  type PlannedMigration,
  planMigration,
} from '../migrate.ts'
import { reportUntried } from './check.ts'
import { type Command, exitCodes } from './command.ts'
import { withDatabase } from './connect.ts'
import { explainLocks, lockOptions, lockSettings, tellSteps } from './locks.ts'
import { count, type Output } from './output.ts'

export const command: Command = {
  options: { to: { type: 'string' }, plan: { type: 'boolean' }, ...lockOptions },
  explain: {
    'to NAME': 'stop after the migration of this name',
    plan: 'print the SQL and the locks it takes, and write nothing',
    ...explainLocks,
  },
  async run({ values }, output) {
    const to = typeof values.to === 'string' ? { to: values.to } : {}
    const locks = lockSettings(values, output)
    if (values.plan) {
      const plan = await withDatabase(output, db => planMigration(db, to))
      reportPlan(plan, output)
      output.result({ plan })
      return exitCodes.done
    }
    const report = await withDatabase(output, db =>
      migrate(db, {
        ...to,
        ...locks,
        ...tellSteps('applying', 'applied', output),
      }),
    )
    reportMigrations(report, output)
    output.result(report)
    return exitCodes.done
  },
}

export function reportMigrations({ applied, already, beyond, probes }: MigrateReport, output: Output): void {
  if (applied.length === 0) output.line(`nothing to migrate: ${count(already, 'migration')} applied before`)
  if (beyond.length > 0)
    output.note(`later ones stay applied: ${beyond.join(', ')}; \`rollback --to\` undoes them`)
  reportUntried(probes, output)
}

function reportPlan(plan: PlannedMigration[], output: Output): void {
  if (plan.length === 0) output.line('nothing to migrate')
  for (const { name, scripts } of plan) {
    for (const { file, statements } of scripts) {
      output.line(`-- ${name}/${file}`)
      for (const [i, statement] of statements.entries()) {
        const place = `statement ${i + 1} of ${statements.length}, line ${statement.line}`
        output.line(`\n-- ${place}: ${lockPhrase(statement.locks)}`)
        output.line(statement.sql)
      }
      output.line()
    }
  }
}

function lockPhrase(locks: PlannedLock[] | null): string {
  if (locks === null) return 'locks not measured'
  if (locks.length === 0) return 'no further lock'
  const modes = new Set(locks.map(lock => lock.mode))
  return [...modes]
    .map(
      mode =>
        `${mode} on ${locks
          .filter(lock => lock.mode === mode)
          .map(tablePhrase)
          .join(', ')}`,
    )
    .join('; ')
}

function tablePhrase({ table, rows }: PlannedLock): string {
  return rows === null ? table : `${table} (about ${count(rows, 'row')})`
}
