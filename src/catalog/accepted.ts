import type { Difference } from './compare.ts'
import type { CatalogProject } from './project.ts'

/** A difference that a project wants: exactly as `check` finds it, and no other. */
export type AcceptedDifference = Pick<Difference, 'object' | 'fact' | 'expected' | 'found'> & { why?: string }

/** How a database and its catalog disagree. */
export interface Drift {
  /** What the project does not accept. */
  differences: Difference[]
  /** What it accepts. */
  accepted: (Difference & AcceptedDifference)[]
  /** What it accepts, but the database does not have. */
  obsolete: AcceptedDifference[]
}

/** Separates what the project accepts from what it does not. */
export function separate({ accepted = [], needsReason }: CatalogProject, found: Difference[]): Drift {
  const drift: Drift = { differences: [], accepted: [], obsolete: accepted }
  for (const difference of found) {
    const { object, fact } = difference
    const entry = accepted.find(
      entry =>
        entry.object === object &&
        entry.fact === fact &&
        entry.expected === difference.expected &&
        entry.found === difference.found,
    )
    drift.obsolete = drift.obsolete.filter(other => other !== entry)
    if (!entry) drift.differences.push(difference)
    else if (entry.why?.trim() || !needsReason?.(difference)) drift.accepted.push({ ...difference, ...entry })
    else drift.differences.push({ ...difference, message: `${difference.message}; to accept it, say why` })
  }
  return drift
}
