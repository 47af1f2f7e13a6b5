import { didYouMean, MOST_WORDS } from '../nearest.ts'
import { type Diagnostic, formatDiagnostic, SeedError } from './diagnostic.ts'
import {
  agentEntry,
  agentsFile,
  configKeys,
  modelEntry,
  modelsFile,
  type SeedAgent,
  type SeedModel,
} from './entries.ts'
import { type Entries, isObject, validate } from './validate.ts'
import { quote } from './words.ts'
import { type Path, parseYaml, readYamlFile, type YamlFile } from './yaml-file.ts'

/** Where the two seed files are. */
export interface SeedFiles {
  llms: string
  agents: string
}

/** The text of the two seed files, and the name that diagnostics give each. */
export type SeedTexts = Record<keyof SeedFiles, { file: string; text: string }>

/** An agent's use of a model that is not among the models of the files: right if the database has it. */
export interface SeedReference {
  agent: string
  model: string
  at: Omit<Diagnostic, 'message'>
}

/** What two seed files say, in their order. Made by `readSeedFiles` and `parseSeed`. */
export interface SeedDocuments {
  models: SeedModel[]
  agents: SeedAgent[]
  references: SeedReference[]
  notes: string[]
}

/** Documents and what is wrong with them; use the rows only where nothing is. */
export interface Loaded extends SeedDocuments {
  diagnostics: Diagnostic[]
  /** The model codes of the file, right or wrong otherwise. */
  codes: string[]
}

export async function loadFiles(files: SeedFiles): Promise<Loaded> {
  const [llms, agents] = await Promise.all([readYamlFile(files.llms), readYamlFile(files.agents)])
  return load(llms, agents)
}

export function loadTexts({ llms, agents }: SeedTexts): Loaded {
  return load(parseYaml(llms.file, llms.text), parseYaml(agents.file, agents.text))
}

function load(llms: YamlFile, agents: YamlFile): Loaded {
  const models = validate<SeedModel>(llms, {
    key: 'llms',
    id: 'model_code',
    file: modelsFile,
    entry: modelEntry,
  })
  const users = validate<SeedAgent>(agents, {
    key: 'agents',
    id: 'agent_type',
    file: agentsFile,
    entry: agentEntry,
  })
  const codes = (models.raw ?? [])
    .map(({ value }) => value.model_code)
    .filter(code => typeof code === 'string')
  return {
    models: models.rows,
    agents: users.rows,
    // Without the list of models, every use of one would look wrong.
    references: models.raw && users.raw ? findReferences(agents, users.raw, new Set(codes)) : [],
    notes: [
      ...models.notes,
      ...users.notes,
      ...[llms, agents].flatMap(({ differences }) => differences.slice(0, MOST_WORDS).map(formatDiagnostic)),
      ...misspelledKeys(llms, 'llms', models),
      ...misspelledKeys(agents, 'agents', users),
      ...misfits(agents, users.rows, models.rows),
    ],
    diagnostics: [llms, agents].flatMap(({ diagnostics }) => inOrder(diagnostics)),
    codes,
  }
}

function findReferences(
  yaml: YamlFile,
  agents: Entries<SeedAgent>['raw'] & object,
  known: Set<string>,
): SeedReference[] {
  return agents.flatMap(({ index, value: { agent_type: agent, llm_model_code: model } }) => {
    if (typeof model !== 'string' || model.trim() === '' || known.has(model)) return []
    const { message: _, ...at } = yaml.locate(['agents', index, 'llm_model_code'], '')
    return [{ agent: typeof agent === 'string' ? agent : '', model, at }]
  })
}

/** A key of a configuration that is nearly one we know: not a mistake, for a backend may read it. */
function misspelledKeys<Row>(
  yaml: YamlFile,
  list: keyof typeof configKeys,
  { raw = [] }: Entries<Row>,
): string[] {
  const known = Object.keys(configKeys[list])
  const unknown = raw.flatMap(({ index, value: { config } }) =>
    (isObject(config) ? Object.keys(config) : [])
      .filter(key => !known.includes(key))
      .map(key => [list, index, 'config', key]),
  )
  return unknown.slice(0, MOST_WORDS).flatMap(path => {
    const hint = didYouMean(String(path.at(-1)), known)
    return hint ? [note(yaml, path, `is passed on as it is${hint}`)] : []
  })
}

/** What an agent asks of its model that the model does not offer, as far as the files say: a backend may know better. */
function misfits(yaml: YamlFile, agents: SeedAgent[], models: SeedModel[]): string[] {
  const offers = new Map(models.map(({ model_code, config }) => [model_code, config]))
  const found = agents.flatMap(
    ({ llm_model_code: model, config: { temperature, max_tokens: asked } }, index) => {
      const { temperature: takesOne, max_output_tokens: most } = offers.get(model) ?? {}
      const path = ['agents', index, 'config']
      const isTooMuch = typeof asked === 'number' && typeof most === 'number' && asked > most
      return [
        ...(temperature !== undefined && takesOne === false
          ? [{ path: [...path, 'temperature'], message: `is passed on, but ${quote(model)} takes none` }]
          : []),
        ...(isTooMuch
          ? [
              {
                path: [...path, 'max_tokens'],
                message: `is passed on, but ${quote(model)} gives at most ${most}`,
              },
            ]
          : []),
      ]
    },
  )
  return found.slice(0, MOST_WORDS).map(({ path, message }) => note(yaml, path, message))
}

function note(yaml: YamlFile, path: Path, message: string): string {
  return formatDiagnostic(yaml.locate(path, message, 'key'))
}

/**
 * The documents, if nothing is wrong with them and with their use of models.
 *
 * @param stored the models of the database; without them, references are not checked
 * @throws SeedError `SEED_INVALID`
 */
export function accept(loaded: Loaded, stored: Iterable<string> | undefined): SeedDocuments {
  const { diagnostics: found, codes, ...documents } = loaded
  const unknown = stored ? unknownModels(documents.references, [...codes, ...stored]) : []
  const diagnostics = unknown.length > 0 ? inOrder([...found, ...unknown]) : found
  if (diagnostics.length > 0) throw new SeedError('SEED_INVALID', diagnostics)
  return documents
}

/** How many model codes a diagnostic names. */
const MOST_NAMED = 100

function unknownModels(references: SeedReference[], codes: string[]): Diagnostic[] {
  const known = [...new Set(codes)].sort()
  const more = known.length > MOST_NAMED ? `, and ${known.length - MOST_NAMED} more` : ''
  const list = known.length > 0 ? known.slice(0, MOST_NAMED).join(', ') + more : 'none'
  return references
    .filter(({ model }) => !known.includes(model))
    .map(({ agent, model, at }, index) => {
      const hint = index < MOST_WORDS ? didYouMean(model, known) : ''
      return {
        ...at,
        message: `agent ${quote(agent)} needs the unknown model ${quote(model)}${hint} (known: ${list})`,
      }
    })
}

/** By file, in the order they come in, then by place. */
function inOrder(diagnostics: Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))]
  const rank = ({ file, line = 0, column = 0 }: Diagnostic) => [files.indexOf(file), line, column] as const
  return diagnostics.toSorted((a, b) => {
    const [x, y] = [rank(a), rank(b)]
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2]
  })
}
