import { didYouMean, MOST_WORDS } from '../nearest.ts'
import {
  agentEntry,
  agentsFile,
  configKeys,
  modelEntry,
  modelsFile,
  type SeedAgent,
  type SeedModel,
} from './entries.ts'
import { isObject } from './json.ts'
import { formatMistake, type Mistake, SeedError } from './mistake.ts'
import { createSource, readSource, type Source } from './source.ts'
import { quote, type Section, validate } from './validate.ts'

/** Where the two seed files are. */
export type SeedFiles = { llms: string; agents: string }

/** The text of the two seed files, with the name that mistakes give each. */
export type SeedTexts = { llms: { file: string; text: string }; agents: { file: string; text: string } }

/** An agent's use of a model that is not among the models of the files: right when the database has it. */
export type SeedReference = { agent: string; model: string; at: Omit<Mistake, 'message'> }

/** What two seed files say, in their order. Made by `readSeedFiles` and `parseSeed`. */
export type SeedDocuments = {
  models: SeedModel[]
  agents: SeedAgent[]
  references: SeedReference[]
  notes: string[]
}

/** Documents with the mistakes found in them; the rows are to be used only when there are none. */
export type Loaded = SeedDocuments & { mistakes: Mistake[]; codes: string[] }

export async function loadFiles(files: SeedFiles): Promise<Loaded> {
  const [llms, agents] = await Promise.all([readSource(files.llms), readSource(files.agents)])
  return load(llms, agents)
}

export function loadTexts({ llms, agents }: SeedTexts): Loaded {
  return load(createSource(llms.file, llms.text), createSource(agents.file, agents.text))
}

function load(llms: Source, agents: Source): Loaded {
  const modelList = validate<SeedModel>(llms, {
    key: 'llms',
    id: 'model_code',
    file: modelsFile,
    fields: Object.keys(modelEntry.shape),
  })
  const agentList = validate<SeedAgent>(agents, {
    key: 'agents',
    id: 'agent_type',
    file: agentsFile,
    fields: Object.keys(agentEntry.shape),
  })
  const codes =
    modelList.entries?.map(({ value }) => value.model_code).filter(code => typeof code === 'string') ?? []
  const known = new Set(codes)
  const references: SeedReference[] = []
  // Without the list of models, every use of one would look wrong.
  for (const { index, value } of (modelList.entries && agentList.entries) ?? []) {
    const model = value.llm_model_code
    if (typeof model !== 'string' || model.trim() === '' || known.has(model)) continue
    const path = ['agents', index, 'llm_model_code']
    const { message: _, ...at } = agents.locate(agentList.place(path).value, path, '')
    references.push({ agent: typeof value.agent_type === 'string' ? value.agent_type : '', model, at })
  }
  return {
    models: modelList.rows,
    agents: agentList.rows,
    references,
    notes: [
      ...[modelList.note, agentList.note].flatMap(note => (note ? [`${note}: read as an empty list`] : [])),
      ...misspelledKeys(llms, 'llms', modelList),
      ...misspelledKeys(agents, 'agents', agentList),
      ...misfits(agents, agentList, modelList.rows),
    ],
    mistakes: [...inOrder(llms.mistakes), ...inOrder(agents.mistakes)],
    codes,
  }
}

/** A key of a configuration that is nearly one we know: no mistake, for a backend may read it. */
function misspelledKeys<Row>(
  source: Source,
  list: keyof typeof configKeys,
  { entries = [], place }: Section<Row>,
): string[] {
  const known = Object.keys(configKeys[list])
  const strange = entries.flatMap(({ index, value: { config = null } }) =>
    (isObject(config) ? Object.keys(config) : [])
      .filter(key => !known.includes(key))
      .map(key => [list, index, 'config', key]),
  )
  return strange.slice(0, MOST_WORDS).flatMap(path => {
    const hint = didYouMean(String(path.at(-1)), known)
    if (!hint) return []
    const at = source.locate(place(path).key, path, `is passed on as it is${hint}`)
    return [formatMistake(at)]
  })
}

/** What an agent asks of its model that the model does not offer, as far as the files say: a backend may know better. */
function misfits(source: Source, { rows, place }: Section<SeedAgent>, models: SeedModel[]): string[] {
  const offers = new Map(models.map(({ model_code, config }) => [model_code, config]))
  const found = rows.flatMap(({ llm_model_code: model, config }, index) => {
    const offer = offers.get(model)
    if (!offer) return []
    const { temperature, max_tokens: asked } = config
    const { max_output_tokens: most } = offer
    const at = (key: string) => ['agents', index, 'config', key]
    return [
      ...(temperature !== undefined && offer.temperature === false
        ? [{ path: at('temperature'), message: `is passed on, but ${quote(model)} takes none` }]
        : []),
      ...(typeof asked === 'number' && typeof most === 'number' && asked > most
        ? [{ path: at('max_tokens'), message: `is passed on, but ${quote(model)} gives at most ${most}` }]
        : []),
    ]
  })
  return found
    .slice(0, MOST_WORDS)
    .map(({ path, message }) => formatMistake(source.locate(place(path).key, path, message)))
}

/** The documents when nothing is wrong with them and with their use of models; otherwise a SeedError. */
export function accept(loaded: Loaded, stored: Iterable<string> | undefined): SeedDocuments {
  const { mistakes: found, codes, ...documents } = loaded
  const mistakes = stored ? inOrder([...found, ...unknownModels(documents.references, codes, stored)]) : found
  if (mistakes.length > 0) throw new SeedError('SEED_INVALID', mistakes)
  return documents
}

/** How many model codes a mistake names. */
const MOST_NAMED = 100

/** A mistake for each use of a model that neither the files nor the database have. */
function unknownModels(references: SeedReference[], codes: string[], stored: Iterable<string>): Mistake[] {
  const known = [...new Set([...codes, ...stored])].sort()
  const is = new Set(known)
  const more = known.length > MOST_NAMED ? `, and ${known.length - MOST_NAMED} more` : ''
  const list = known.length > 0 ? known.slice(0, MOST_NAMED).join(', ') + more : 'none'
  return references
    .filter(({ model }) => !is.has(model))
    .map(({ agent, model, at }, index) => {
      const hint = index < MOST_WORDS ? didYouMean(model, known) : ''
      const message = `agent ${quote(agent)} needs the unknown model ${quote(model)}${hint} (known: ${list})`
      return { ...at, message }
    })
}

function inOrder(mistakes: Mistake[]): Mistake[] {
  const files = [...new Set(mistakes.map(({ file }) => file))]
  const rank = ({ file }: Mistake) => files.indexOf(file)
  return mistakes.toSorted(
    (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
}
