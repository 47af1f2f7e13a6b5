import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  visit,
} from 'yaml'
import type { Json } from '../schema/json.ts'
import type { Diagnostic } from './diagnostic.ts'
import { readTextFile } from './read-file.ts'
import { losesZero, readAsYaml11, scalarProblem } from './scalar.ts'
import { describe, formatPath, quote } from './words.ts'

export type Path = readonly PropertyKey[]

/** What a YAML file says, and where each part of it is. */
export interface YamlFile {
  file: string
  /** Undefined where the file could not be read as far as its values. */
  value: Json | undefined
  /** What is wrong so far. */
  diagnostics: Diagnostic[]
  /** What is not wrong but worth knowing, such as what YAML 1.1 would have read differently. */
  notes: Diagnostic[]
  /** Where the value at a path, or its key, begins; if it is missing or merged in, where its nearest parent begins. */
  locate: (path: Path, message: string, at?: 'key' | 'value') => Diagnostic
  /** Adds a diagnostic, unless the value at that place could not be read. */
  report: (path: Path, message: string, at?: 'key' | 'value') => void
}

/** Levels of nesting: more than a setting needs, fewer than a recursive reader overflows at. */
const MAX_DEPTH = 100
const TOO_DEEP = `is nested more than ${MAX_DEPTH} deep`

/** How many values the aliases of a file may stand for. */
const MAX_ALIAS_COUNT = 10_000

const NOT_MERGEABLE = 'only a mapping, or a list of mappings, can be merged'

/** The tags of JSON's values; `!` asks for none. */
const JSON_TAG = /^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq))$/

/** Reads a YAML file. That it cannot be read is a diagnostic too. */
export async function readYamlFile(file: string): Promise<YamlFile> {
  const read = await readTextFile(file)
  if ('text' in read) return parseYaml(file, read.text)
  return {
    ...parseYaml(file, ''),
    value: undefined,
    diagnostics: [{ file, path: '', message: read.failure }],
  }
}

/** Reads YAML text. `file` is what diagnostics call it. */
export function parseYaml(file: string, text: string): YamlFile {
  const lines = lineCounterOf(text)
  const document = parseDocument(text, {
    // A %YAML directive must not change how values are read.
    schema: 'core',
    merge: true,
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  })
  const place = ({ offset, path, message }: Finding) => placeIn(file, text, lines, offset, path, message)
  const syntax = syntaxErrors(document, text, lines)
  const { wrong, notes } = syntax.length > 0 ? { wrong: syntax, notes: [] } : checkValues(document, lines)
  const value = syntax.length > 0 ? undefined : toJson(document, wrong)
  const diagnostics = wrong.map(place)
  const wrongPlaces = new Set(wrong.map(({ offset }) => offset))
  const find = (path: Path, message: string, at: 'key' | 'value' = 'value') => ({
    offset: offsetIn(document.contents, path, at),
    path,
    message,
  })
  return {
    file,
    value,
    diagnostics,
    notes: notes.map(place),
    locate: (...what) => place(find(...what)),
    report: (...what) => {
      const finding = find(...what)
      if (!wrongPlaces.has(finding.offset)) diagnostics.push(place(finding))
    },
  }
}

/** Something about the text at an offset. */
interface Finding {
  offset: number
  path: Path
  message: string
}

const MISPLACED: [RegExp, string][] = [
  [/same column|without - |block sequence may/, 'is not indented like the lines it belongs to'],
  [
    /compact.*single line/,
    'is continued by the next line, which is indented further: align the two, or use quotes',
  ],
  [/single line/, 'is not "key: value": the colon, or the space after it, is missing'],
  [/sufficiently indented/, 'a bracket before this is not closed'],
]

const SLIPS: [RegExp, string][] = [
  [/compact/, 'has a colon and a space in it, as a key has: put the text in quotes'],
  [/node end/, 'follows a quote, bracket or alias that has ended: put all of the text in quotes'],
  [/cannot start/, 'text cannot begin with this character: put it in quotes'],
  [/Missing closing/, 'this quote is not closed'],
  [/Not a YAML token/, 'the text after > or | begins on the next line'],
  [/block-seq-ind/, 'a list begins on a line below its key; a text that begins with a dash goes in quotes'],
  [/multiple documents/, 'a second YAML document begins here; a seed file holds one'],
  [/all keys must be strings/, 'has a key that is not text, as JSON keys are'],
]

/** The syntax errors in plain words: one a line, up to a misplaced line, after which all depths are wrong. */
function syntaxErrors(document: Document.Parsed, text: string, lines: LineCounter): Finding[] {
  const found = new Map<number, string>()
  for (const { pos, message } of document.errors) found.set(pos[0], `${found.get(pos[0]) ?? ''} ${message}`)
  const errors = [...found].map(([offset, message]) => ({ offset, path: [], message }))
  // Either makes further errors, which go when it goes.
  const deep = errors.find(({ message }) => message.includes('call stack'))
  if (deep) return [{ ...deep, message: TOO_DEEP }]
  const tab = errors.find(({ offset }) => /^ *\t/.test(text.slice(text.lastIndexOf('\n', offset - 1) + 1)))
  if (tab) return [{ ...tab, message: 'a tab is not indentation: YAML takes spaces' }]
  const reported = new Map<number, Finding>()
  for (const { offset, path, message } of errors.sort((a, b) => a.offset - b.offset)) {
    const [misplaced, slip] = [MISPLACED, SLIPS].map(list => list.find(([error]) => error.test(message))?.[1])
    const [, quote] = /closing (.)quote/.exec(message) ?? []
    const finding = {
      offset: quote ? text.lastIndexOf(quote) : offset,
      path,
      message: misplaced ?? slip ?? message.trim(),
    }
    const { line } = lines.linePos(finding.offset)
    if (!reported.has(line)) reported.set(line, finding)
    if (misplaced) break
  }
  return [...reported.values()]
}

/** What JSON or `jsonb` cannot hold, and what YAML 1.1 would have read differently. */
function checkValues(document: Document.Parsed, lines: LineCounter): { wrong: Finding[]; notes: Finding[] } {
  const wrong: Finding[] = []
  const notes: Finding[] = []
  const anchors = new Map<string, Node>()
  visit(document, (key, node, ancestors) => {
    if (!isNode(node)) return undefined
    const find = (message: string, offset = offsetOf(node), ...below: string[]) => ({
      offset,
      path: [...pathOf([...ancestors, node]), ...below],
      message,
    })
    if (ancestors.length > 2 * MAX_DEPTH) {
      wrong.push({ ...find(TOO_DEEP), path: [] })
      return visit.BREAK
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target && !ancestors.includes(target)) return undefined
      wrong.push(
        find(`*${node.source} ${target ? 'contains itself' : `has no anchor &${node.source} before it`}`),
      )
      // So that the rest is still checked.
      return Object.assign(new Scalar(null), { range: node.range ?? null })
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, node)
    if (node.tag !== undefined && !JSON_TAG.test(node.tag)) {
      wrong.push(find(`has the tag ${node.tag}, which JSON has no value for`))
    }
    if (isMap(node)) {
      for (const { name, offset, message } of checkKeys(node.items as Pair[], lines))
        wrong.push(find(message, offset, name))
    }
    if (isScalar(node)) {
      const fault = scalarProblem(node)
      if (fault) wrong.push(find(fault))
      const isKey = key === 'key'
      const note = (message: string) =>
        notes.push(
          find(
            `is ${describe(node.value as Json)}${message}`,
            offsetOf(node),
            ...(isKey ? [String(node.value)] : []),
          ),
        )
      const earlier = readAsYaml11(node, isKey)
      if (earlier) note(`; in YAML 1.1 it was ${earlier}`)
      else if (losesZero(node)) note(`; in quotes it would be ${quote(node.source ?? '')}`)
    }
    return undefined
  })
  return { wrong, notes }
}

function checkKeys(pairs: Pair[], lines: LineCounter): { name: string; offset: number; message: string }[] {
  const first = new Map<unknown, number>()
  return pairs.flatMap(({ key, value }) => {
    // In quotes, << is a key like any other.
    const isMerge = isScalar(key) && key.type === 'PLAIN' && key.source === '<<'
    const name = isScalar(key) && !isMerge ? String(key.value) : '<<'
    const earlier = first.get(isMerge || name)
    if (earlier !== undefined) {
      const { line } = lines.linePos(earlier)
      return [{ name, offset: offsetOf(key), message: `is a duplicate key; the first is on line ${line}` }]
    }
    first.set(isMerge || name, offsetOf(key))
    const merged = isSeq(value) ? value.items : [value]
    const isRight = !isMerge || merged.every(node => isMap(node) || isAlias(node))
    return isRight ? [] : [{ name, offset: offsetOf(value), message: NOT_MERGEABLE }]
  })
}

function toJson(document: Document.Parsed, wrong: Finding[]): Json | undefined {
  if (wrong.some(({ message }) => message === TOO_DEEP)) return undefined
  try {
    return document.toJS({ maxAliasCount: MAX_ALIAS_COUNT })
  } catch (error) {
    const isTooMuch = error instanceof ReferenceError
    const message = isTooMuch ? `its aliases stand for more than ${MAX_ALIAS_COUNT} values` : NOT_MERGEABLE
    // A merge of something else was reported where it is, unless an alias stands for it.
    if (wrong.length === 0) wrong.push({ offset: 0, path: [], message })
    return undefined
  }
}

/** Where the value at a path, or its key, begins; if it is missing, where its nearest parent begins. */
function offsetIn(root: Node | null, path: Path, at: 'key' | 'value'): number {
  let node: unknown = root
  let offset = offsetOf(root)
  for (const [index, step] of path.entries()) {
    const pairs: Pair[] = isMap(node) ? (node.items as Pair[]) : []
    const pair = pairs.find(({ key }) => isScalar(key) && key.value === step)
    const value = isSeq(node) ? node.items[Number(step)] : pair?.value
    if (pair === undefined && value === undefined) return offset
    const isKey = (at === 'key' && index === path.length - 1) || !isNode(value)
    offset = offsetOf(isKey ? (pair?.key ?? value) : value)
    node = value
  }
  return offset
}

/** The path of the last of these nodes, each of which holds the next. */
function pathOf(nodes: readonly unknown[]): Path {
  return nodes.flatMap((node, index): PropertyKey[] => {
    const child = nodes[index + 1]
    if (isSeq(node) && child !== undefined) return [node.items.indexOf(child)]
    return isPair(node) && child !== node.key && isScalar(node.key) ? [String(node.key.source)] : []
  })
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}

/** The lines as editors count them: the parser's own counter misses some in texts that are not YAML. */
function lineCounterOf(text: string): LineCounter {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  return lines
}

/** How much of a line is shown. */
const shown = 160

function placeIn(
  file: string,
  text: string,
  lines: LineCounter,
  offset: number,
  path: Path,
  message: string,
): Diagnostic {
  const at = Math.min(offset, text.length)
  const { line, col: column } = lines.linePos(at)
  // A prompt may be one line of a megabyte: show the part that matters.
  const caret = column > shown ? shown / 2 : column - 1
  const [source = ''] = text.slice(at - caret, at - caret + shown).split('\n', 1)
  return { file, line, column, path: formatPath(path), message, source: source.trimEnd(), caret }
}
