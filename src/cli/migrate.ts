import {
  type Lock,
  type MigrateReport,
  migrate,
  type PlannedMigration,
  type PlannedStatement,
  planMigration,
} from '../migrations/index.ts'
import { reportUntried } from './check.ts'
import { type Command, exitCodes } from './command.ts'
import { withDatabase } from './connect.ts'
import { explainLocks, lockOptions, lockSettings, tellSteps } from './locks.ts'
import { count, type Output } from './output.ts'

export const command: Command = {
  options: { to: { type: 'string' }, plan: { type: 'boolean' }, ...lockOptions },
  explain: {
    'to NAME': 'stop after the migration of this name',
    plan: 'print the SQL, the locks and the rows to be moved, and write nothing',
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
        output.line(`\n-- ${place}: ${[...lockPhrases(statement.locks), ...rowPhrase(statement)].join('; ')}`)
        output.line(statement.sql)
      }
      output.line()
    }
  }
}

function lockPhrases(locks: Lock[]): string[] {
  if (locks.length === 0) return ['locks no table']
  const modes = new Set(locks.map(lock => lock.mode))
  return [...modes].map(mode => {
    const tables = locks.filter(lock => lock.mode === mode).map(lock => lock.table)
    return `${mode} on ${tables.join(', ')}`
  })
}

function rowPhrase({ rows }: PlannedStatement): string[] {
  if (rows === undefined) return []
  return [rows === null ? 'rows unknown' : `about ${count(rows, 'row')}`]
}
