import { type CheckReport, check, hasDrift } from '../migrate.ts'
import { accept, addAccepted, readAccepted, reportAccepted } from './accepted.ts'
import { type Cli, type Define, exitCodes } from './cli.ts'
import { withDatabase } from './connect.ts'
import { count } from './output.ts'

export const define: Define = (command, cli) => {
  command.option(...accept).action(async ({ accept }) => {
    const accepted = readAccepted(cli.io)
    const report = await withDatabase(cli, async (db, where) => {
      const report = await check(db, { ...where, accepted })
      return accept ? await check(db, { ...where, accepted: addAccepted(cli, report.differences) }) : report
    })
    reportCheck(report, cli)
    const pending = report.pending.length > 0 ? exitCodes.pending : exitCodes.done
    cli.finish(report, hasDrift(report) ? exitCodes.drift : pending)
  })
}

export function reportCheck(report: CheckReport, cli: Cli): void {
  const { at, pending, ledger, differences, probes } = report
  for (const { message } of ledger) cli.line(`ledger: ${message}`)
  for (const { message } of differences) cli.line(`catalog: ${message}`)
  reportAccepted(report.accepted, cli)
  for (const { object, fact } of report.obsolete)
    cli.line(`accepted, but not there: ${fact === null ? object : `${fact} on ${object}`}`)
  for (const { what, why, outcome } of probes) {
    if (outcome === 'failed') cli.line(`probe failed: ${what}: ${why}`)
  }
  reportUntried(probes, cli)
  const passed = probes.filter(({ outcome }) => outcome === 'passed').length
  if (at === null) cli.line('no migration is applied')
  else if (!hasDrift(report)) cli.done(`database matches ${at}; ${count(passed, 'probe')} passed`)
  if (pending.length > 0) {
    cli.line(`${count(pending.length, 'migration')} pending; \`${cli.self} status\` lists them`)
  }
}

/** What a role may not try is reported once, not for every table and verb. */
export function reportUntried(probes: CheckReport['probes'], cli: Cli): void {
  const untried = probes.filter(({ outcome }) => outcome === 'not tried')
  for (const why of new Set(untried.map(probe => probe.why))) {
    const [first, ...others] = untried.filter(probe => probe.why === why)
    const more = others.length > 0 ? ` and ${count(others.length, 'other')}` : ''
    cli.note(`not tried: ${first?.what}${more}: ${why}`)
  }
}
