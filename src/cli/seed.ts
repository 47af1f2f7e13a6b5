import { resolve } from 'node:path'
import { printableLine } from '../printable.ts'
import {
  formatChange,
  formatDiagnostic,
  SeedError,
  type SeedOptions,
  type SeedReport,
  seed,
  type TableReport,
} from '../seed.ts'
import { type Cli, type Define, exitCodes } from './cli.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'
import { count } from './output.ts'

export const define: Define = (command, cli) => {
  const path = (value: string) => resolve(cli.io.cwd, value)
  command
    .option('--llms <file>', "the models (default: the package's seeds/llms.yaml)", path)
    .option('--agents <file>', "the agents (default: the package's seeds/system_agents.yaml)", path)
    .option('--dry-run', 'show what would change, and write nothing')
    .option('--prune', 'remove what is not in the files, after asking; otherwise it is only listed')
    .option('--yes', 'do not ask before removing')
    .action(async ({ yes, ...given }) => {
      const options: SeedOptions = given
      try {
        const report = await withDatabase(cli, async db => {
          if (options.prune && !options.dryRun && !yes) {
            const plan = await seed(db, { ...options, dryRun: true })
            const models = plan.llms.removed.map(key => `model ${key}`)
            const removed = [...models, ...plan.agents.removed.map(key => `agent ${key}`)]
            for (const row of removed) cli.line(printableLine(`${row}: would be removed`))
            if (removed.length > 0)
              await confirm(cli, `Remove ${count(removed.length, 'row')} from the database?`)
            // Rows added since then were not shown, and stay.
            options.prune = { llms: plan.llms.removed, agents: plan.agents.removed }
          }
          return await seed(db, options)
        })
        reportSeed(report, cli)
        cli.finish(report)
      } catch (error) {
        if (!(error instanceof SeedError) || error.diagnostics.length === 0) throw error
        const { code, message, diagnostics } = error
        for (const diagnostic of diagnostics) cli.error(formatDiagnostic(diagnostic))
        cli.finish({ error: { code, message, diagnostics } }, exitCodes.error)
      }
    })
}

/** Reports what happened to the rows or, after a dry run, what would happen. */
export function reportSeed({ llms, agents, dryRun, notes }: SeedReport, cli: Cli): void {
  for (const note of notes) cli.note(note)
  const would = dryRun ? 'would be ' : ''
  const changes = reportTable('model', llms, would, cli) + reportTable('agent', agents, would, cli)
  const models = count(llms.unchanged.length, 'model')
  const unchanged = `${models} and ${count(agents.unchanged.length, 'agent')} unchanged`
  if (changes === 0) cli.line(`nothing to seed: ${unchanged}`)
  else if (llms.unchanged.length + agents.unchanged.length > 0) cli.line(unchanged)
}

/** @returns how many rows are changed */
function reportTable(noun: string, table: TableReport, would: string, cli: Cli): number {
  const { created, updated, removed, orphaned } = table
  const report = (key: string, what: string) => cli.line(printableLine(`${noun} ${key}: ${what}`))
  for (const key of created) report(key, `${would}created`)
  for (const { key, changes } of updated) {
    report(key, `${would}updated`)
    for (const line of changes.flatMap(formatChange)) cli.line(`  ${line}`)
  }
  for (const key of removed) report(key, `${would}removed`)
  for (const key of orphaned) report(key, 'in the database but not in the file; left alone')
  return created.length + updated.length + removed.length
}
