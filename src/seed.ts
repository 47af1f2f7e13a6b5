import { fileURLToPath } from 'node:url'
import {
  assertValid,
  loadFiles,
  loadTexts,
  type SeedDocuments,
  type SeedFiles,
  type SeedTexts,
} from './seed/load.ts'

export type { Json, JsonObject } from './schema/json.ts'
export {
  type Diagnostic,
  formatDiagnostic,
  SeedError,
  type SeedErrorCode,
} from './seed/diagnostic.ts'
export type { SeedAgent, SeedModel } from './seed/entries.ts'
export { formatChange } from './seed/format-change.ts'
export type { SeedDocuments, SeedFiles, SeedReference, SeedTexts } from './seed/load.ts'
export type { FieldChange, TableReport } from './seed/plan.ts'
export {
  type PruneKeys,
  SEED_LOCK,
  type SeedOptions,
  type SeedReport,
  type SeedSource,
  seed,
} from './seed/seed.ts'

/**
 * Reads and validates the two seed files, without a database.
 *
 * @param knownCodes models that agents may use besides those of the files. Without it such uses are left in
 *   `references`, for `seed` to look up in the database.
 * @throws SeedError (`SEED_INVALID`) with every diagnostic of both files
 */
export async function readSeedFiles(files: SeedFiles, knownCodes?: Iterable<string>): Promise<SeedDocuments> {
  return assertValid(await loadFiles(files), knownCodes)
}

/**
 * The same for text that is in memory; `file` is what diagnostics call it.
 *
 * @throws SeedError (`SEED_INVALID`) with every diagnostic of both texts
 */
export function parseSeed(texts: SeedTexts, knownCodes?: Iterable<string>): SeedDocuments {
  return assertValid(loadTexts(texts), knownCodes)
}

/** The seed files that come with this package. */
export function defaultSeedFiles(): SeedFiles {
  const path = (name: string) => fileURLToPath(new URL(`../seeds/${name}`, import.meta.url))
  return { llms: path('llms.yaml'), agents: path('system_agents.yaml') }
}
