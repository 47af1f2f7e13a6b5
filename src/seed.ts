export type { Json, JsonObject } from './schema/json.ts'
export { type Diagnostic, formatDiagnostic, SeedError, type SeedErrorCode } from './seed/diagnostic.ts'
export type { SeedAgent, SeedModel } from './seed/entries.ts'
export { formatChange } from './seed/format-change.ts'
export {
  defaultSeedFiles,
  parseSeed,
  readSeedFiles,
  type SeedDocuments,
  type SeedFiles,
  type SeedReference,
  type SeedTexts,
} from './seed/load.ts'
export type { FieldChange, TableReport } from './seed/plan.ts'
export {
  type PruneKeys,
  SEED_LOCK,
  type SeedOptions,
  type SeedReport,
  type SeedSource,
  seed,
} from './seed/seed.ts'
