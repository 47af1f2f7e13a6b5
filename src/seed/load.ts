import { isObject } from '../json.ts'
import { didYouMean, MAX_SUGGESTIONS } from '../nearest.ts'
import { ownFile } from '../own-file.ts'
import { clip } from '../printable.ts'
import type { JsonObject } from '../schema/json.ts'
import { type Diagnostic, formatDiagnostic, quote, SeedError } from './diagnostic.ts'
import { agentEntry, agentsFile, modelEntry, modelsFile, type SeedAgent, type SeedModel } from './entries.ts'
import { validate } from './validate.ts'
import { parseYaml, readYamlFile, type YamlFile } from './yaml-file.ts'

/** The paths of the two seed files. */
export interface SeedFiles {
  llms: string
  agents: string
}

/** The text of the two seed files, and the name that diagnostics give each. */
export type SeedTexts = Record<keyof SeedFiles, { file: string; text: string }>

/** A use of a model that the files do not have; `at` is the diagnostic if the database has none either. */
export interface SeedReference {
  model: string
  at: Diagnostic
}

/** What two seed files say, in their order. Made by `readSeedFiles` and `parseSeed`. */
export interface SeedDocuments {
  models: SeedModel[]
  agents: SeedAgent[]
  references: SeedReference[]
  notes: string[]
}

/** Only if there are no diagnostics do the values match their types. */
export interface Loaded extends SeedDocuments {
  diagnostics: Diagnostic[]
}

export async function loadFiles(files: SeedFiles): Promise<Loaded> {
  const [llms, agents] = await Promise.all([readYamlFile(files.llms), readYamlFile(files.agents)])
  return load(llms, agents)
}

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

/** The same for text that is in memory; `file` is what diagnostics call it. */
export function parseSeed({ llms, agents }: SeedTexts, knownCodes?: Iterable<string>): SeedDocuments {
  return assertValid(load(parseYaml(llms.file, llms.text), parseYaml(agents.file, agents.text)), knownCodes)
}

/** The seed files that come with this package. */
export function defaultSeedFiles(): SeedFiles {
  const path = (name: string) => ownFile(`../../seeds/${name}`, import.meta.url)
  return { llms: path('llms.yaml'), agents: path('system_agents.yaml') }
}

function load(llms: YamlFile, agents: YamlFile): Loaded {
  const models = validate(llms, 'llms', modelsFile, modelEntry)
  const entries = validate(agents, 'agents', agentsFile, agentEntry)
  const unsupported = models && entries ? findUnsupportedSettings(agents, entries, models) : []
  return {
    models: (models ?? []) as unknown as SeedModel[],
    agents: (entries ?? []) as unknown as SeedAgent[],
    // Without the list of models, every use of one would look wrong.
    references: models && entries ? findReferences(agents, entries, models) : [],
    notes: [...llms.notes, ...agents.notes, ...unsupported].map(formatDiagnostic),
    diagnostics: [...llms.diagnostics, ...agents.diagnostics],
  }
}

function findReferences(yaml: YamlFile, agents: JsonObject[], models: JsonObject[]): SeedReference[] {
  const codes = new Set(models.map(({ model_code }) => model_code))
  return agents.flatMap(({ agent_type, llm_model_code: model }, index) => {
    if (typeof model !== 'string' || model.trim() === '' || codes.has(model)) return []
    const message = `agent ${quote(String(agent_type ?? ''))} needs the unknown model ${quote(model)}`
    return [{ model, at: yaml.locate(['agents', index, 'llm_model_code'], message) }]
  })
}

/** What an agent asks of its model that the model does not offer, as far as the files say: a backend may know better. */
function findUnsupportedSettings(yaml: YamlFile, agents: JsonObject[], models: JsonObject[]): Diagnostic[] {
  const offers = new Map(models.map(({ model_code, config }) => [model_code, config]))
  return agents.flatMap(({ llm_model_code: model, config: asked }, index) => {
    const offer = offers.get(model)
    if (!isObject(asked) || !isObject(offer)) return []
    const note = (key: string, limit: string) =>
      yaml.locate(
        ['agents', index, 'config', key],
        `${quote(String(model))} ${limit}; it is stored all the same`,
        'key',
      )
    const [wanted, most] = [asked.max_tokens, offer.max_output_tokens]
    const isTooMuch = typeof wanted === 'number' && typeof most === 'number' && wanted > most
    return [
      ...('temperature' in asked && offer.temperature === false
        ? [note('temperature', 'takes no temperature')]
        : []),
      ...(isTooMuch ? [note('max_tokens', `gives at most ${most} tokens`)] : []),
    ]
  })
}

/**
 * The documents, if nothing is wrong with them or with their use of models.
 *
 * @param stored the models of the database; without them, references are not checked
 * @throws SeedError `SEED_INVALID`
 */
export function assertValid(loaded: Loaded, stored: Iterable<string> | undefined): SeedDocuments {
  const { diagnostics, ...documents } = loaded
  const codes = new Set([...documents.models.map(({ model_code }) => model_code), ...(stored ?? [])])
  const known = [...codes].filter(code => typeof code === 'string').sort()
  const list = clip(known.join(', ') || 'none', 1000)
  const unknown = (stored ? documents.references : [])
    .filter(({ model }) => !codes.has(model))
    .map(({ model, at }, index) => {
      const hint = index < MAX_SUGGESTIONS ? `${didYouMean(model, known)} (known: ${list})` : ''
      return { ...at, message: `${at.message}${hint}` }
    })
  if (diagnostics.length + unknown.length === 0) return documents
  throw new SeedError('SEED_INVALID', inOrder([...diagnostics, ...unknown]))
}

/** By file, in the order they come in, then by place. */
function inOrder(diagnostics: Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))]
  const byPlace = diagnostics.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
  return files.flatMap(file => byPlace.filter(diagnostic => diagnostic.file === file))
}
