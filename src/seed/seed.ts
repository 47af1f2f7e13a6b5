import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { didYouMean, MOST_WORDS } from '../nearest.ts'
import { pgErrorOf } from '../pg-error.ts'
import { query, transaction } from '../query.ts'
import { llms } from '../schema.ts'
import { removeAgents, removeModels, writeAgents, writeModels } from './apply.ts'
import { SeedError } from './diagnostic.ts'
import { accept, type Loaded, loadFiles, type SeedDocuments, type SeedFiles } from './load.ts'
import { neededElsewhere } from './needed.ts'
import { planAgents, planModels, type TableReport, type Wanted, wantedAgent, wantedModel } from './plan.ts'

/** The transaction-level advisory lock that lets one seed write at a time; the number spells "seed" in ASCII. */
export const SEED_LOCK = 0x73656564

/** What to seed from: the paths of the two files, or what `readSeedFiles` or `parseSeed` made of them. */
export type SeedSource = SeedFiles | { documents: SeedDocuments }

export type SeedOptions = SeedSource & {
  /** Stop at the plan and write nothing. */
  dryRun?: boolean | undefined
  /**
   * Remove what is in the database but not in the files: all of it, or only these keys. A model that an agent needs,
   * or a row of the archive, stays.
   */
  prune?: boolean | PruneKeys | undefined
}

/** The keys of rows that may be removed, such as a dry run has shown. */
export type PruneKeys = { llms: readonly string[]; agents: readonly string[] }

/** What became of both tables, or in a dry run what would become of them. */
export type SeedReport = {
  dryRun: boolean
  llms: TableReport
  agents: TableReport
  /** What a person should know although nothing is wrong: an empty file, a model that could not be pruned. */
  notes: string[]
}

/**
 * Brings the tables of models and agents to what the seed files say, in one transaction: everything or nothing.
 * Rows that are as they should be are not written. Seeds that run at once take turns.
 *
 * @throws SeedError (`SEED_INVALID`) with every diagnostic of both files, or (`NOT_MIGRATED`); nothing has been written
 * @throws whatever the driver throws, when the database fails; nothing has been written
 */
export async function seed(db: Database, options: SeedOptions): Promise<SeedReport> {
  const { dryRun = false, prune = false } = options
  const loaded: Loaded = 'documents' in options ? unchecked(options.documents) : await loadFiles(options)
  if (loaded.diagnostics.length > 0) {
    // A database out of reach must not hide what is wrong with the files.
    accept(loaded, await storedCodes(db).catch(() => undefined))
  }
  const work = transaction(
    db,
    async tx => {
      if (!dryRun) await query(tx, sql`select pg_advisory_xact_lock(${SEED_LOCK}::bigint)`)
      const { models, agents, notes } = accept(loaded, await storedCodes(tx))
      const report: SeedReport = {
        dryRun,
        llms: await planModels(tx, models),
        agents: await planAgents(tx, agents),
        notes: [...notes],
      }
      report.notes.push(...misspelled(report.agents))
      const needed = prune ? await neededElsewhere(tx) : new Map<string, string>()
      for (const agent of agents)
        needed.set(agent.llm_model_code, `agent ${JSON.stringify(agent.agent_type)}`)
      const mayGo = pruned(prune, 'llms')
      const absent = report.llms.orphaned
      partition(report.agents, report.agents.orphaned, pruned(prune, 'agents'))
      partition(report.llms, absent, key => mayGo(key) && !needed.has(key))
      if (!dryRun) {
        await removeAgents(tx, report.agents.removed)
        await writeModels(tx, changed(report.llms, models.map(wantedModel)))
        await writeAgents(tx, changed(report.agents, agents.map(wantedAgent)))
        const removed = new Set(await removeModels(tx, report.llms.removed))
        partition(report.llms, absent, key => removed.has(key))
      }
      report.notes.push(...report.llms.orphaned.filter(mayGo).map(key => kept(key, needed.get(key))))
      return report
    },
    // Under the lock each statement must see what the seed before has committed; a plan must see one moment.
    dryRun
      ? { isolationLevel: 'repeatable read', accessMode: 'read only' }
      : { isolationLevel: 'read committed' },
  )
  return await work.catch(cause => {
    const { code, message: reason } = pgErrorOf(cause)
    if (code !== '42P01') throw cause
    const message = `${reason}: \`migrate\` makes the tables. Nothing was written.`
    throw new SeedError('NOT_MIGRATED', message, { cause })
  })
}

function unchecked(documents: SeedDocuments): Loaded {
  return { ...documents, diagnostics: [], codes: documents.models.map(model => model.model_code) }
}

async function storedCodes(db: Database): Promise<string[]> {
  const rows = await query<{ code: string }>(db, sql`select model_code as code from ${llms}`)
  return rows.map(({ code }) => code)
}

/** Whether a row of this table may be removed. */
function pruned(prune: boolean | PruneKeys, table: keyof PruneKeys): (key: string) => boolean {
  if (typeof prune === 'boolean') return () => prune
  const keys = new Set(prune[table])
  return key => keys.has(key)
}

/** Divides what is in the database but not in the file into what is removed and what is left alone. */
function partition(table: TableReport, absent: readonly string[], isRemoved: (key: string) => boolean): void {
  table.orphaned = absent.filter(key => !isRemoved(key))
  table.removed = absent.filter(isRemoved)
}

function changed(table: TableReport, rows: readonly Wanted[]): Wanted[] {
  const keys = new Set([...table.created, ...table.updated.map(({ key }) => key)])
  return rows.filter(({ key }) => keys.has(key))
}

/** An agent type written wrong makes another agent, and leaves the one that was meant behind. */
function misspelled({ created, orphaned, removed }: TableReport): string[] {
  return created.slice(0, MOST_WORDS).flatMap(key => {
    const hint = didYouMean(key, [...orphaned, ...removed])
    return hint ? [`agent ${JSON.stringify(key)} is new${hint}`] : []
  })
}

function kept(model: string, user = 'something'): string {
  return `model ${JSON.stringify(model)} is not in the files, but ${user} needs it: it stays`
}
