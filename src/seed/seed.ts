import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { didYouMean, MAX_SUGGESTIONS } from '../nearest.ts'
import { pgErrorOf } from '../pg-error.ts'
import { query, transaction } from '../query.ts'
import { llms } from '../schema.ts'
import { lockModels, removeAgents, removeModels, usersOfModels, writeAgents, writeModels } from './apply.ts'
import { quote, SeedError } from './diagnostic.ts'
import {
  assertValid,
  defaultSeedFiles,
  type Loaded,
  loadFiles,
  type SeedDocuments,
  type SeedFiles,
} from './load.ts'
import { plan, type TableReport, type Wanted } from './plan.ts'

/** The advisory lock under which one seed at a time writes: "seed" in ASCII. */
export const SEED_LOCK = 0x73656564

/** The paths of the two files, the package's own unless given, or what `readSeedFiles` or `parseSeed` made of them. */
export type SeedSource = Partial<SeedFiles> | { documents: SeedDocuments }

export type SeedOptions = SeedSource & {
  /** Plan only, and write nothing. */
  dryRun?: boolean | undefined
  /** Remove orphaned rows: all, or those with these keys. A model that an agent or the archive needs stays. */
  prune?: boolean | PruneKeys | undefined
}

/** The keys of rows that may be removed, such as a dry run has shown. */
export type PruneKeys = { llms: readonly string[]; agents: readonly string[] }

/** What became of both tables; in a dry run, what would. */
export type SeedReport = {
  dryRun: boolean
  llms: TableReport
  agents: TableReport
  /** What is not wrong but worth knowing: an empty file, a model that could not be pruned. */
  notes: string[]
}

/**
 * Makes the models and agents match the seed files, in one transaction. Rows that match already are not written. Seeds
 * that run at once take turns.
 *
 * @throws SeedError (`SEED_INVALID`, `NOT_MIGRATED`, `NOTHING_LEFT`), or what the driver throws; nothing has been written then
 */
export async function seed(db: Database, options: SeedOptions = {}): Promise<SeedReport> {
  const loaded =
    'documents' in options
      ? { ...options.documents, diagnostics: [] }
      : await loadFiles({ ...defaultSeedFiles(), ...options })
  // A database out of reach must not hide what is wrong with the files.
  if (loaded.diagnostics.length > 0) assertValid(loaded, await storedCodes(db).catch(() => undefined))
  // Under the lock, each statement must see what the seed before has committed; a plan must see one moment.
  const isolationLevel = options.dryRun ? 'repeatable read' : 'read committed'
  const accessMode = options.dryRun ? 'read only' : 'read write'
  const work = transaction(db, tx => run(tx, loaded, options), { isolationLevel, accessMode })
  return await work.catch(cause => {
    const { code, message } = pgErrorOf(cause)
    if (code !== '42P01') throw cause
    const advice = `${message}: \`migrate\` creates the tables. Nothing was written.`
    throw new SeedError('NOT_MIGRATED', advice, { cause })
  })
}

async function run(db: Database, loaded: Loaded, options: SeedOptions): Promise<SeedReport> {
  const { dryRun = false, prune = false } = options
  const write = async <T>(rows: readonly T[], statement: (rows: readonly T[]) => SQL) => {
    if (!dryRun && rows.length > 0) await query(db, statement(rows))
  }
  if (!dryRun) await query(db, sql`select pg_advisory_xact_lock(${SEED_LOCK}::bigint)`)
  const documents = assertValid(loaded, await storedCodes(db))
  const models = documents.models.map(({ model_code: key, ...fields }) => ({ key, fields }))
  const agents = documents.agents.map(({ agent_type: key, ...fields }) => ({ key, fields }))
  const report = { dryRun, llms: await plan(db, 'llms', models), agents: await plan(db, 'agents', agents) }
  const notes = [...documents.notes]
  for (const key of report.agents.created.slice(0, MAX_SUGGESTIONS)) {
    const hint = didYouMean(key, report.agents.orphaned)
    if (hint) notes.push(`agent ${quote(key)} is new${hint}`)
  }
  const named = typeof prune === 'object' && { llms: new Set(prune.llms), agents: new Set(prune.agents) }
  const mayGo = (table: keyof PruneKeys, key: string) => (named ? named[table].has(key) : prune !== false)
  partition(report.agents, key => mayGo('agents', key))
  const candidates = report.llms.orphaned.filter(key => mayGo('llms', key))
  await write(candidates, lockModels)
  const besides = [...report.agents.removed, ...agents.map(({ key }) => key)]
  const users = candidates.length > 0 ? await usersOfModels(db, besides) : new Map<string, string>()
  for (const { key, fields } of agents) users.set(fields.llm_model_code, `agent ${quote(key)}`)
  partition(report.llms, key => mayGo('llms', key) && !users.has(key))
  for (const key of candidates.filter(key => users.has(key)))
    notes.push(`model ${quote(key)} is not in the files, but ${users.get(key)} needs it: it stays`)
  if (prune === true && !dryRun) refuseToEmpty(report)
  await write(report.agents.removed, removeAgents)
  await write(changed(report.llms, models), writeModels)
  await write(changed(report.agents, agents), writeAgents)
  await write(report.llms.removed, removeModels)
  return { ...report, notes }
}

/** A file that lost its list by mistake must not empty a table. Rows that somebody was shown and named may go. */
function refuseToEmpty({ llms, agents }: Pick<SeedReport, 'llms' | 'agents'>): void {
  for (const [noun, { created, updated, unchanged, orphaned, removed }] of [
    ['models', llms],
    ['agents', agents],
  ] as const) {
    if (removed.length === 0 || created.length + updated.length + unchanged.length + orphaned.length > 0)
      continue
    const message = `the file has no ${noun}, and all ${removed.length} of the database would be removed. Without --yes the command asks; in code, name them in \`prune\`. Nothing was written.`
    throw new SeedError('NOTHING_LEFT', message)
  }
}

async function storedCodes(db: Database): Promise<string[]> {
  const rows = await query<{ code: string }>(db, sql`select model_code as code from public.${llms}`)
  return rows.map(({ code }) => code)
}

/** Divides orphaned rows into those that are removed and those that stay. */
function partition(table: TableReport, isRemoved: (key: string) => boolean): void {
  table.removed = table.orphaned.filter(isRemoved)
  table.orphaned = table.orphaned.filter(key => !isRemoved(key))
}

function changed({ created, updated }: TableReport, rows: Wanted[]): Wanted[] {
  const keys = new Set([...created, ...updated.map(({ key }) => key)])
  return rows.filter(({ key }) => keys.has(key))
}
