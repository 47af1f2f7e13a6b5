import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { query } from '../query.ts'
import { llms } from '../schema/index.ts'
import { removeAgents, removeModels, writeAgents, writeModels } from './apply.ts'
import { accept, type Loaded, loadFiles, type SeedDocuments, type SeedFiles } from './load.ts'
import { neededElsewhere } from './needed.ts'
import {
  type FieldChange,
  type Planned,
  planAgents,
  planModels,
  type Wanted,
  wantedAgent,
  wantedModel,
} from './plan.ts'

/** The transaction-level advisory lock that lets one seed write at a time; the number spells "seed" in ASCII. */
export const SEED_LOCK = 0x73656564

/** What to seed from: the paths of the two files, or what `readSeedFiles` or `parseSeed` made of them. */
export type SeedSource = SeedFiles | { documents: SeedDocuments }

export type SeedOptions = SeedSource & {
  /** Stop at the plan and write nothing. */
  dryRun?: boolean | undefined
  /** Remove what is in the database but not in the files; a model that an agent needs, or a row of the archive, stays. */
  prune?: boolean | undefined
}

/** What became of the rows of one table, by their keys and in their order; in a dry run, what would become of them. */
export type TableReport = {
  created: string[]
  updated: { key: string; changes: FieldChange[] }[]
  unchanged: string[]
  /** In the database but not in the file, and left alone. */
  leftOver: string[]
  /** In the database but not in the file, and removed: by `prune` only. */
  removed: string[]
}

export type SeedReport = {
  dryRun: boolean
  llms: TableReport
  agents: TableReport
  /** What a person should know though it is no mistake: an empty file, a model that could not be pruned. */
  notes: string[]
}

/**
 * Brings the tables of models and agents to what the seed files say, in one transaction: everything or nothing.
 * Rows that are as they should be are not written. Seeds that run at once take turns.
 *
 * @throws SeedError (`SEED_INVALID`) with every mistake of both files; nothing has been written
 * @throws whatever the driver throws, when the database fails; nothing has been written
 */
export async function seed(db: Database, options: SeedOptions): Promise<SeedReport> {
  const { dryRun = false, prune = false } = options
  const loaded: Loaded = 'documents' in options ? unchecked(options.documents) : await loadFiles(options)
  if (loaded.mistakes.length > 0) {
    // A database out of reach must not hide what is wrong with the files.
    accept(loaded, await storedCodes(db).catch(() => undefined))
  }
  return await db.transaction(
    async tx => {
      if (!dryRun) await query(tx, sql`select pg_advisory_xact_lock(${SEED_LOCK}::bigint)`)
      const { models, agents, notes } = accept(loaded, await storedCodes(tx))
      const modelPlan = await planModels(tx, models)
      const agentPlan = await planAgents(tx, agents)
      const needed = prune ? await neededElsewhere(tx) : new Map<string, string>()
      for (const agent of agents)
        needed.set(agent.llm_model_code, `agent ${JSON.stringify(agent.agent_type)}`)
      const report = {
        dryRun,
        llms: tableReport(modelPlan, key => prune && !needed.has(key)),
        agents: tableReport(agentPlan, () => prune),
        notes: [...notes],
      }
      if (!dryRun) {
        await removeAgents(tx, report.agents.removed)
        await writeModels(tx, changed(modelPlan, models.map(wantedModel)))
        await writeAgents(tx, changed(agentPlan, agents.map(wantedAgent)))
        const removed = new Set(await removeModels(tx, report.llms.removed))
        report.llms.removed = report.llms.removed.filter(key => removed.has(key))
        report.llms.leftOver = keysOf(modelPlan, 'leftOver').filter(key => !removed.has(key))
      }
      if (prune) report.notes.push(...report.llms.leftOver.map(key => kept(key, needed.get(key))))
      return report
    },
    // Under the lock each statement must see what the seed before has committed; a plan must see one moment.
    dryRun
      ? { isolationLevel: 'repeatable read', accessMode: 'read only' }
      : { isolationLevel: 'read committed' },
  )
}

function unchecked(documents: SeedDocuments): Loaded {
  return { ...documents, mistakes: [], codes: documents.models.map(model => model.model_code) }
}

async function storedCodes(db: Database): Promise<string[]> {
  const rows = await query<{ code: string }>(db, sql`select model_code as code from ${llms}`)
  return rows.map(({ code }) => code)
}

function tableReport(plan: readonly Planned[], isRemoved: (key: string) => boolean): TableReport {
  const leftOver = keysOf(plan, 'leftOver')
  return {
    created: keysOf(plan, 'created'),
    updated: plan.flatMap(({ key, action, changes }) => (action === 'updated' ? [{ key, changes }] : [])),
    unchanged: keysOf(plan, 'unchanged'),
    leftOver: leftOver.filter(key => !isRemoved(key)),
    removed: leftOver.filter(isRemoved),
  }
}

function keysOf(plan: readonly Planned[], wanted: Planned['action']): string[] {
  return plan.flatMap(({ key, action }) => (action === wanted ? [key] : []))
}

function changed(plan: readonly Planned[], rows: readonly Wanted[]): Wanted[] {
  const keys = new Set([...keysOf(plan, 'created'), ...keysOf(plan, 'updated')])
  return rows.filter(({ key }) => keys.has(key))
}

function kept(model: string, user = 'something'): string {
  return `model ${JSON.stringify(model)} is not in the files, but ${user} needs it: it stays`
}
