export type { AcceptedDifference } from './catalog/accepted.ts'
export type { AdoptReport } from './catalog/adopt.ts'
export { type CheckReport, hasDrift } from './catalog/check.ts'
export type { Difference } from './catalog/compare.ts'
export type { Probe } from './catalog/project.ts'
export type { Progress } from './migrator/batches.ts'
export { MigrationError, type MigrationErrorCode } from './migrator/error.ts'
export type { LockOptions, Wait } from './migrator/lock.ts'
export type { LockMode } from './migrator/measured-locks.ts'
export type { Plan, PlannedLock, PlannedMigration, PlannedStatement } from './migrator/plan.ts'
export type { PreflightOptions } from './migrator/preflight.ts'
export type { Finding, LedgerName } from './migrator/project.ts'
export type { RollbackOptions, RollbackReport } from './migrator/rollback.ts'
export type { MigrationStatus } from './migrator/status.ts'
export type { Edited, LedgerProblem } from './migrator/verify.ts'
export { type ArchiveReport, dropArchive, readArchive } from './platform/archive.ts'
export {
  adopt,
  check,
  type MigrateOptions,
  type MigrateReport,
  migrate,
  planMigration,
  repair,
  rollback,
  status,
} from './platform/migrations.ts'
export { packagedMigrations } from './platform/project.ts'
