import type { Database } from '../database.ts'
import type { Project } from '../migrator/project.ts'
import type { AcceptedDifference } from './accepted.ts'
import type { Difference } from './compare.ts'
import type { Catalog, Scope } from './read.ts'

/** Something that was tried. */
export interface Probe {
  /** What must hold: `a sign-up with e-mail`. */
  what: string
  /** `not tried` where the role that probes may not. */
  outcome: 'passed' | 'failed' | 'not tried'
  /** Why it did not pass. */
  why?: string
}

/** A folder of migrations whose outcome is known by `catalog.json`. */
export interface CatalogProject extends Project {
  scope: Scope
  /** The catalog to compare with, where a database may differ from the exact one; given those of all migrations too. */
  expectedCatalog?: (exact: Catalog, found: Catalog, catalogs: Catalog[]) => Catalog
  /** Differences that are no drift. */
  accepted?: AcceptedDifference[]
  /** Whether one is accepted only with a reason. */
  needsReason?: (difference: Difference) => boolean
  /** Tries what must hold in a database with that catalog. */
  probe?: (db: Database, catalog: Catalog) => Promise<Probe[]>
}
