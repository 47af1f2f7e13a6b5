import { type CheckReport, check, hasDrift } from '../migrate.ts'
import { type Command, exitCodes } from './command.ts'
import { withDatabase } from './connect.ts'
import { count, type Output } from './output.ts'

export const command: Command = {
  options: {},
  explain: {},
  async run(_, output) {
    const report = await withDatabase(output, db => check(db))
    reportCheck(report, output)
    output.result(report)
    if (hasDrift(report)) return exitCodes.drift
    return report.pending.length > 0 ? exitCodes.pending : exitCodes.done
  },
}

export function reportCheck(report: CheckReport, output: Output): void {
  const { at, pending, ledger, differences, probes } = report
  for (const { message } of ledger) output.line(`ledger: ${message}`)
  for (const { message, sql } of differences) output.line(`catalog: ${message}\n  ${sql}`)
  for (const { what, why, outcome } of probes) {
    if (outcome === 'failed') output.line(`probe: this does not hold: ${what}: ${why}`)
  }
  reportUntried(probes, output)
  const passed = probes.filter(({ outcome }) => outcome === 'passed').length
  if (at === null) output.line('nothing is applied')
  else if (!hasDrift(report)) output.line(`the database is as ${at} says; ${count(passed, 'probe')} passed`)
  if (pending.length > 0) output.line(`${count(pending.length, 'migration')} pending, see \`status\``)
}

/** What a role may not try is said once, not once for every table and verb. */
export function reportUntried(probes: CheckReport['probes'], output: Output): void {
  const untried = probes.filter(({ outcome }) => outcome === 'not tried')
  for (const why of new Set(untried.map(probe => probe.why))) {
    const [first, ...others] = untried.filter(probe => probe.why === why)
    const more = others.length > 0 ? ` and ${count(others.length, 'other')}` : ''
    output.note(`not tried: ${first?.what}${more}: ${why}`)
  }
}
