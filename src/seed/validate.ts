import type { z } from 'zod'
import { didYouMean } from '../nearest.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { composeYaml } from './compose.ts'
import { isObject, type ReadDocument, readJson } from './json.ts'
import type { Source } from './source.ts'

/** One of the two files: its top key, the field that names an entry, and how the file has to be. */
export type Kind<Row> = {
  key: string
  id: string
  file: z.ZodType<{ [key: string]: Row[] | undefined }>
  fields: readonly string[]
}

/** An entry as it stands in the file, right or wrong. */
type Entry = { index: number; value: JsonObject }

export type Section<Row> = {
  /** The entries, when nothing is wrong with any of them. */
  rows: Row[]
  /** Whatever entries there are; nothing when the list could not be read. */
  entries: Entry[] | undefined
  place: ReadDocument['place']
  note?: string
}

/** Reads the list of one seed file and reports to the source all that is wrong with the file by itself. */
export function validate<Row>(source: Source, kind: Kind<Row>): Section<Row> {
  const unread = { rows: [], entries: undefined, place: () => ({ key: 0, value: 0, exact: false }) }
  // A file that could not be read has said so; that it is empty as well would be no help.
  if (source.mistakes.length > 0) return unread
  const yaml = composeYaml(source)
  if (yaml === undefined) return unread
  const document = readJson(yaml.contents, source)
  if (!document.readable) return unread
  const { value, place } = document
  if (value === null) return { rows: [], entries: [], place, note: `${source.file} is empty` }

  const result = kind.file.safeParse(value, { error: explain })
  for (const issue of result.error?.issues ?? []) reportIssue(issue, source, kind, document)

  const list = isObject(value) ? value[kind.key] : null
  if (list === undefined) {
    // Beside an unknown key, the list may be there under a name nearly right.
    const entries = source.mistakes.length === 0 ? [] : undefined
    return { rows: [], entries, place, note: `${source.file} has no ${kind.key}` }
  }
  if (!Array.isArray(list)) return { ...unread, place }
  const entries = list.flatMap((entry, index) => (isObject(entry) ? [{ index, value: entry }] : []))
  reportDuplicates(entries, source, kind, document)
  return { rows: result.data?.[kind.key] ?? [], entries, place }
}

function reportIssue<Row>(
  issue: z.core.$ZodIssue,
  source: Source,
  { key, fields }: Kind<Row>,
  { place, flagged }: ReadDocument,
): void {
  if (issue.code !== 'unrecognized_keys') {
    const { value: offset, exact } = place(issue.path)
    // What was read as null has been reported with its reason.
    if (!exact || !flagged.has(offset)) source.report(offset, issue.path, issue.message)
    return
  }
  const known = issue.path.length === 0 ? [key] : fields
  for (const unknown of issue.keys) {
    const path = [...issue.path, unknown]
    const hint = didYouMean(unknown, known) || ` (known: ${known.join(', ')})`
    source.report(place(path).key, path, `is not a known key${hint}`)
  }
}

/** What is wrong, in the words of who writes YAML; rules with a message of their own never get here. */
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
  entries: Entry[],
  source: Source,
  { key, id }: Kind<Row>,
  { place }: ReadDocument,
): void {
  const first = new Map<string, number>()
  for (const { index, value } of entries) {
    const name = value[id]
    if (typeof name !== 'string') continue
    const earlier = first.get(name)
    if (earlier === undefined) {
      first.set(name, index)
      continue
    }
    const line = source.lineOf(place([key, earlier, id]).value)
    const path = [key, index, id]
    source.report(place(path).value, path, `${quote(name)} was used already on line ${line}`)
  }
}

function describe(value: Json): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return quote(value)
  return `the ${typeof value === 'number' ? 'number' : 'truth value'} ${value}`
}

/** A name in a message, in quotes and not without end. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}
