import { z } from 'zod'
import { composeYaml } from './compose.ts'
import { isObject, type Json, type JsonObject, type ReadDocument, readJson } from './json.ts'
import { didYouMean } from './nearest.ts'
import type { Source } from './source.ts'

type Kind<Row> = { key: string; id: string; entry: z.ZodType<Row> & { shape: Record<string, z.ZodType> } }

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

  const file = z.strictObject({ [kind.key]: z.array(kind.entry).optional() })
  const result = file.safeParse(value)
  for (const issue of result.error?.issues ?? []) reportIssue(issue, source, kind, document)

  const list = (value as JsonObject)[kind.key]
  if (list === undefined && !Array.isArray(value) && typeof value === 'object') {
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
  kind: Kind<Row>,
  document: ReadDocument,
): void {
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path.length === 0 ? [kind.key] : Object.keys(kind.entry.shape)
    for (const key of issue.keys) {
      const path = [...issue.path, key]
      const hint = didYouMean(key, known) || ` (known: ${known.join(', ')})`
      source.report(document.place(path).key, path, `is not a known key${hint}`)
    }
    return
  }
  const { value: offset, exact } = document.place(issue.path)
  if (exact && document.flagged.has(offset)) return
  source.report(
    offset,
    issue.path,
    exact ? explain(issue, valueAt(document.value, issue.path)) : 'is missing',
  )
}

function explain(issue: z.core.$ZodIssue, value: Json): string {
  if (issue.code === 'invalid_type') {
    const wanted: Record<string, string> = { string: 'text', object: 'a mapping', array: 'a list' }
    return `must be ${wanted[issue.expected] ?? issue.expected}, not ${describe(value)}`
  }
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String)
    const hint = typeof value === 'string' ? didYouMean(value, allowed) : ''
    return `must be ${allowed.join(' or ')}, not ${describe(value)}${hint}`
  }
  return issue.message
}

function reportDuplicates<Row>(
  entries: Entry[],
  source: Source,
  { key, id }: Kind<Row>,
  document: ReadDocument,
) {
  const first = new Map<string, number>()
  for (const { index, value } of entries) {
    const name = value[id]
    if (typeof name !== 'string') continue
    const earlier = first.get(name)
    if (earlier === undefined) {
      first.set(name, index)
      continue
    }
    const line = source.lineOf(document.place([key, earlier, id]).value)
    const path = [key, index, id]
    source.report(document.place(path).value, path, `${quote(name)} was used already on line ${line}`)
  }
}

function valueAt(root: Json, path: readonly PropertyKey[]): Json {
  return path.reduce<Json>((value, step) => (value as JsonObject)[String(step)] ?? null, root)
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
