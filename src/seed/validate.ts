import type { z } from 'zod'
import { didYouMean } from '../nearest.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { describe, quote } from './words.ts'
import type { YamlFile } from './yaml-file.ts'

/** One of the two files: its top key, the field that names an entry, and what both must look like. */
export interface Kind<Row> {
  key: string
  id: string
  file: z.ZodType<{ [key: string]: Row[] | undefined }>
  entry: z.ZodObject
}

export interface Entries<Row> {
  /** The entries, where nothing is wrong with any of them. */
  rows: Row[]
  /** The entries as they are in the file, right or wrong; undefined where there is no list to read. */
  raw: { index: number; value: JsonObject }[] | undefined
  notes: string[]
}

/** Reads the list of a seed file, and reports all that is wrong with the file by itself. */
export function validate<Row>(yaml: YamlFile, kind: Kind<Row>): Entries<Row> {
  const { value, file } = yaml
  if (value === undefined) return { rows: [], raw: undefined, notes: [] }
  if (value === null) return { rows: [], raw: [], notes: [`${file} is empty: read as an empty list`] }
  const isWhole = yaml.diagnostics.length === 0
  const result = kind.file.safeParse(value, { error: explain })
  for (const issue of result.error?.issues ?? []) report(yaml, issue, kind)

  const list = isObject(value) ? value[kind.key] : null
  if (list === undefined) {
    // Beside an unknown key, the list may be there under a name nearly right.
    const raw = isWhole && result.success ? [] : undefined
    return { rows: [], raw, notes: [`${file} has no ${kind.key}: read as an empty list`] }
  }
  if (!Array.isArray(list)) return { rows: [], raw: undefined, notes: [] }
  const raw = list.flatMap((entry, index) => (isObject(entry) ? [{ index, value: entry }] : []))
  reportDuplicates(yaml, raw, kind)
  return { rows: result.data?.[kind.key] ?? [], raw, notes: [] }
}

function report<Row>(yaml: YamlFile, issue: z.core.$ZodIssue, { key, entry }: Kind<Row>): void {
  if (issue.code !== 'unrecognized_keys') yaml.report(issue.path, issue.message)
  const known = issue.path.length === 0 ? [key] : Object.keys(entry.shape)
  for (const unknown of issue.code === 'unrecognized_keys' ? issue.keys : []) {
    const hint = didYouMean(unknown, known) || ` (known: ${known.join(', ')})`
    yaml.report([...issue.path, unknown], `is not a known key${hint}`, 'key')
  }
}

/** What is wrong, in the words of people who write YAML. Rules with a message of their own never get here. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  const input = issue.input as Json | undefined
  if (input === undefined) return 'is missing'
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String)
    const hint = typeof input === 'string' ? didYouMean(input, allowed) : ''
    return `must be ${allowed.join(' or ')}, not ${describe(input)}${hint}`
  }
  const expected = issue.code === 'invalid_type' ? issue.expected : 'object'
  const wanted: Record<string, string> = { string: 'text', object: 'a mapping', array: 'a list' }
  return `must be ${wanted[expected] ?? expected}, not ${describe(input)}`
}

function reportDuplicates<Row>(
  yaml: YamlFile,
  raw: Entries<Row>['raw'] & object,
  { key, id }: Kind<Row>,
): void {
  const first = new Map<unknown, number>()
  for (const { index, value } of raw) {
    const name = value[id]
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, index)
    else if (typeof name === 'string') {
      const { line } = yaml.locate([key, earlier, id], '')
      yaml.report([key, index, id], `${quote(name)} was used already on line ${line}`)
    }
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
