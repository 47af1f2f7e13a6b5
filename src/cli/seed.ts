import {
  defaultSeedFiles,
  formatChange,
  formatDiagnostic,
  SeedError,
  type SeedOptions,
  type SeedReport,
  seed,
  showDiagnostic,
  type TableReport,
} from '../seed.ts'
import { type Command, exitCodes } from './command.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './connect.ts'
import { count, type Output } from './output.ts'

export const command: Command = {
  options: {
    llms: { type: 'string' },
    agents: { type: 'string' },
    'dry-run': { type: 'boolean' },
    prune: { type: 'boolean' },
    yes: { type: 'boolean' },
  },
  explain: {
    'llms FILE': "the models; the package's seeds/llms.yaml unless given",
    'agents FILE': "the agents; the package's seeds/system_agents.yaml unless given",
    'dry-run': 'say what would change, and write nothing',
    prune: 'remove what the files do not hold, once that is confirmed; without it, such rows are only named',
    yes: 'do not ask before removing',
  },
  async run({ values }, output) {
    const files = defaultSeedFiles()
    const options: SeedOptions = {
      llms: typeof values.llms === 'string' ? values.llms : files.llms,
      agents: typeof values.agents === 'string' ? values.agents : files.agents,
      dryRun: values['dry-run'] === true,
      prune: values.prune === true,
    }
    const asks = options.prune === true && !options.dryRun && values.yes !== true
    try {
      return await withDatabase(output, async db => {
        if (asks) {
          const plan = await seed(db, { ...options, dryRun: true })
          await confirmRemoval(plan, output)
          // What has come since is not among what was shown, and stays.
          options.prune = { llms: plan.llms.removed, agents: plan.agents.removed }
        }
        const report = await seed(db, options)
        reportSeed(report, output)
        output.result(report)
        return exitCodes.done
      })
    } catch (error) {
      if (!(error instanceof SeedError) || error.diagnostics.length === 0) throw error
      const { code, message, diagnostics } = error
      const format = process.stderr.isTTY && values.json !== true ? showDiagnostic : formatDiagnostic
      for (const diagnostic of diagnostics) output.note(format(diagnostic))
      output.result({ error: { code, message, diagnostics } })
      return exitCodes.error
    }
  },
}

/** Shows what a plan removes and asks, if it removes anything. */
async function confirmRemoval({ llms, agents }: SeedReport, output: Output): Promise<void> {
  if (llms.removed.length + agents.removed.length === 0) return
  reportRemoved('model', llms, true, output)
  reportRemoved('agent', agents, true, output)
  const what = [
    ...(llms.removed.length > 0 ? [count(llms.removed.length, 'model')] : []),
    ...(agents.removed.length > 0 ? [count(agents.removed.length, 'agent')] : []),
  ]
  await confirm(`Remove ${what.join(' and ')} from the database?`, false)
}

/** Says what became of the rows, or would become of them. */
export function reportSeed(report: SeedReport, output: Output): void {
  const { llms, agents, dryRun } = report
  for (const note of report.notes) output.note(note)
  reportTable('model', llms, dryRun, output)
  reportTable('agent', agents, dryRun, output)
  const changes = [llms, agents].flatMap(table => [
    ...table.created,
    ...table.updated,
    ...table.removed,
  ]).length
  const unchanged = `${count(llms.unchanged.length, 'model')} and ${count(agents.unchanged.length, 'agent')}`
  if (changes === 0) output.line(`nothing to seed: ${unchanged} unchanged`)
  else if (llms.unchanged.length + agents.unchanged.length > 0) output.line(`${unchanged} unchanged`)
}

function reportTable(noun: string, table: TableReport, dryRun: boolean, output: Output): void {
  const would = dryRun ? 'would be ' : ''
  for (const key of table.created) output.line(`${noun} ${key}: ${would}created`)
  for (const { key, changes } of table.updated) {
    output.line(`${noun} ${key}: ${would}updated`)
    for (const line of changes.flatMap(formatChange)) output.line(`  ${line}`)
  }
  reportRemoved(noun, table, dryRun, output)
  for (const key of table.orphaned)
    output.line(`${noun} ${key}: in the database, not in the file; left alone`)
}

function reportRemoved(noun: string, table: TableReport, dryRun: boolean, output: Output): void {
  for (const key of table.removed) output.line(`${noun} ${key}: ${dryRun ? 'would be ' : ''}removed`)
}
