import type { Database } from '../database.ts'
import { MigrationError } from './error.ts'
import type { Migration } from './files.ts'
import type { Finding, Project } from './project.ts'

export interface PreflightOptions {
  /** Functions that may name what is dropped, as they are listed: `function public.report(uuid)`. */
  ignore?: string[]
  /** Called with what will be lost, before anything runs. */
  onFinding?: (finding: Finding) => void
}

/**
 * Looks for what would stop these migrations on their way, or break because of them.
 *
 * @throws MigrationError `BLOCKED`, which lists all of it; nothing has been run then
 */
export async function preflight(
  db: Database,
  project: Project,
  way: 'up' | 'down',
  migrations: Migration[],
  { ignore = [], onFinding }: PreflightOptions,
): Promise<Finding[]> {
  const found = (await project.preflight?.(db, way, migrations)) ?? []
  const isIgnored = ({ object }: Finding) => object.startsWith('function ') && ignore.includes(object)
  const findings = found.filter(finding => !isIgnored(finding))
  const blocking = findings.filter(({ blocks }) => blocks)
  if (blocking.length === 0) {
    for (const finding of findings) onFinding?.(finding)
    return findings
  }
  const lines = [
    'what is not of the migrations stands in their way:',
    ...blocking.map(({ message }) => `  ${message}`),
    'Nothing was run. Change or drop these first, or keep what they hold elsewhere.',
  ]
  throw new MigrationError('BLOCKED', lines.join('\n'), { findings })
}
