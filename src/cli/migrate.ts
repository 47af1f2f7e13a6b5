import { type MigrateReport, migrate, type Plan, type PlannedLock, planMigration } from '../migrate.ts'
import { reportUntried } from './check.ts'
import { type Cli, type Define, exitCodes } from './cli.ts'
import { withDatabase } from './connect.ts'
import { ignore, lockTimeout, retries } from './options.ts'
import { count } from './output.ts'
import { progress } from './progress.ts'

export const define: Define = (command, cli) => {
  command
    .option('--to <name>', 'stop after this migration')
    .option('--plan', 'print the SQL and the locks it takes, and write nothing')
    .option(...lockTimeout)
    .option(...retries)
    .option(...ignore)
    .action(async options => {
      if (options.plan) {
        const plan = await withDatabase(cli, (db, where) => planMigration(db, { ...where, ...options }))
        const { migrations, findings } = plan
        reportPlan(plan, cli)
        const isBlocked = findings.some(({ blocks }) => blocks)
        return cli.finish({ plan: migrations, findings }, isBlocked ? exitCodes.error : exitCodes.done)
      }
      const report = await withDatabase(cli, (db, where) =>
        migrate(db, { ...where, ...options, ...progress(cli, 'applying', 'applied') }),
      )
      reportMigrations(report, cli)
      cli.finish(report)
    })
}

export function reportMigrations({ applied, already, beyond, probes }: MigrateReport, cli: Cli): void {
  if (applied.length === 0) cli.line(`nothing to migrate: ${count(already, 'migration')} already applied`)
  if (beyond.length > 0) {
    const undo = `\`${cli.self} rollback --to\` undoes them`
    cli.note(`later migrations stay applied: ${beyond.join(', ')}; ${undo}`)
  }
  reportUntried(probes, cli)
}

function reportPlan({ migrations, findings }: Plan, cli: Cli): void {
  if (migrations.length === 0) cli.line('nothing to migrate')
  for (const { message, blocks } of findings)
    cli.line(`-- ${blocks ? 'stops the migration' : 'is lost'}: ${message}`)
  for (const { name, scripts } of migrations) {
    for (const { file, statements } of scripts) {
      cli.line(`-- ${name}/${file}`)
      for (const [i, { line, locks, sql }] of statements.entries()) {
        cli.line(`\n-- statement ${i + 1} of ${statements.length}, line ${line}: ${lockPhrase(locks)}`)
        cli.line(sql)
      }
      cli.line()
    }
  }
}

function lockPhrase(locks: PlannedLock[] | null): string {
  if (locks === null) return 'locks not measured'
  if (locks.length === 0) return 'no further lock'
  const tables = (mode: string) => locks.filter(lock => lock.mode === mode).map(tablePhrase)
  const modes = new Set(locks.map(({ mode }) => mode))
  return [...modes].map(mode => `${mode} on ${tables(mode).join(', ')}`).join('; ')
}

function tablePhrase({ table, rows }: PlannedLock): string {
  return rows === null ? table : `${table} (about ${count(rows, 'row')})`
}
