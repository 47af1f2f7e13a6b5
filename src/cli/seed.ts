import { defaultSeedFiles, type SeedReport, seed, type TableReport } from '../seed/index.ts'
import { type Command, exitCodes } from './command.ts'
import { withDatabase } from './connect.ts'
import { count, type Output } from './output.ts'

export const command: Command = {
  usage: 'seed [--llms FILE] [--agents FILE] [--dry-run] [--prune]',
  summary: 'bring models and agents to what the YAML files say',
  options: {
    llms: { type: 'string' },
    agents: { type: 'string' },
    'dry-run': { type: 'boolean' },
    prune: { type: 'boolean' },
  },
  explain: {
    'llms FILE': "the models; the package's seeds/llms.yaml unless given",
    'agents FILE': "the agents; the package's seeds/system_agents.yaml unless given",
    'dry-run': 'say what would change, and write nothing',
    prune: 'remove what the files do not hold; without it, such rows are only named',
  },
  async run({ values }, output) {
    const files = defaultSeedFiles()
    const report = await withDatabase(output, db =>
      seed(db, {
        llms: typeof values.llms === 'string' ? values.llms : files.llms,
        agents: typeof values.agents === 'string' ? values.agents : files.agents,
        dryRun: values['dry-run'] === true,
        prune: values.prune === true,
      }),
    )
    reportSeed(report, output)
    output.result(report)
    return exitCodes.done
  },
}

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
    output.line(`${noun} ${key}: ${would}updated (${changes.map(change => change.field).join(', ')})`)
  }
  for (const key of table.removed) output.line(`${noun} ${key}: ${would}removed`)
  for (const key of table.leftOver)
    output.line(`${noun} ${key}: in the database, not in the file; left alone`)
}
