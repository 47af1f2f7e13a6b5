import type { z } from 'zod'
import { agentConfig, llmConfig } from '../config.ts'
import { isObject } from '../json.ts'
import { didYouMean, MAX_SUGGESTIONS } from '../nearest.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { describe, quote } from './diagnostic.ts'
import type { YamlFile } from './yaml-file.ts'

const configs = { llms: llmConfig, agents: agentConfig }
type Key = keyof typeof configs

/**
 * Reads the list of a seed file, and reports what is wrong with it and what is only worth a note. The first field of an
 * entry names it.
 *
 * @returns the entries, right or wrong; undefined where there is no list to read
 */
export function validate(yaml: YamlFile, key: Key, file: z.ZodType, entry: z.ZodObject) {
  const { value, diagnostics, notes } = yaml
  if (value === undefined) return undefined
  const wasWhole = diagnostics.length === 0
  const fields = Object.keys(entry.shape)
  const result = file.safeParse(value ?? {}, { error: explain })
  let suggestions = 0
  for (const issue of result.error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') yaml.report(issue.path, issue.message)
    const known = issue.path.length === 0 ? [key] : fields
    for (const name of issue.code === 'unrecognized_keys' ? issue.keys : []) {
      suggestions += 1
      const nearest = suggestions < MAX_SUGGESTIONS ? didYouMean(name, known) : ''
      yaml.report(
        [...issue.path, name],
        `is not a known key${nearest || ` (known: ${known.join(', ')})`}`,
        'key',
      )
    }
  }
  const list = isObject(value) ? value[key] : undefined
  // Beside an unknown key, the list may be there under a name nearly right.
  if (list === undefined && wasWhole && result.success) {
    notes.push({ file: yaml.file, path: '', message: `has no ${key}: read as an empty list` })
    return []
  }
  if (!Array.isArray(list)) return undefined
  const entries = list.map(entry => (isObject(entry) ? entry : {})) as JsonObject[]
  reportDuplicates(yaml, key, fields[0] ?? '', entries)
  noteMisspelledKeys(yaml, key, entries)
  if (key === 'agents') noteMissingPrompts(yaml, entries)
  return entries
}

/** Zod's issues in the words of people who write YAML. Rules with a message of their own do not get here. */
function explain(issue: z.core.$ZodRawIssue): string {
  const input = issue.input as Json | undefined
  if (input === undefined) return 'is missing'
  const allowed = issue.code === 'invalid_value' ? issue.values.map(String) : []
  const type = issue.code === 'invalid_type' ? issue.expected : 'object'
  const names: Record<string, string> = { string: 'text', object: 'a mapping', array: 'a list' }
  const hint = typeof input === 'string' ? didYouMean(input, allowed) : ''
  return `must be ${allowed.join(' or ') || (names[type] ?? type)}, not ${describe(input)}${hint}`
}

function reportDuplicates(yaml: YamlFile, key: Key, id: string, entries: JsonObject[]): void {
  const first = new Map<string, number>()
  for (const [index, { [id]: name }] of entries.entries()) {
    if (typeof name !== 'string') continue
    const earlier = first.get(name)
    if (earlier === undefined) {
      first.set(name, index)
      continue
    }
    const { line } = yaml.locate([key, earlier, id], '')
    yaml.report([key, index, id], `${quote(name)} was used already on line ${line}`)
  }
}

/** A key of a configuration that is nearly one we know: not wrong, for a backend may read it. */
function noteMisspelledKeys(yaml: YamlFile, key: Key, entries: JsonObject[]): void {
  const known = Object.keys(configs[key].shape)
  const paths = entries.flatMap(({ config }, index) =>
    Object.keys(isObject(config) ? config : {}).map(name => ({ name, path: [key, index, 'config', name] })),
  )
  const unknown = paths.filter(({ name }) => !known.includes(name))
  for (const { name, path } of unknown.slice(0, MAX_SUGGESTIONS)) {
    const hint = didYouMean(name, known)
    if (hint)
      yaml.notes.push(yaml.locate(path, `is not a known setting; it is stored as it is${hint}`, 'key'))
  }
}

function noteMissingPrompts(yaml: YamlFile, entries: JsonObject[]): void {
  for (const [index, { config, status }] of entries.entries()) {
    if (status === 'active' && isObject(config) && config.prompt === undefined)
      yaml.notes.push(yaml.locate(['agents', index, 'config'], 'has no prompt', 'key'))
  }
}
