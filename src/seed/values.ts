import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { isObject } from '../json.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { scalarNote, scalarProblem } from './scalar.ts'

export type Path = readonly PropertyKey[]

/** Says something about the text at an offset. */
export type Report = (offset: number, path: Path, message: string) => void

/** What an anchor stands for, once that has been read; how long it is when written out, and how deep. */
interface Anchored {
  value: Json | undefined
  size: number
  depth: number
}

/** Levels of nesting: more than a setting needs, fewer than a recursive reader overflows at. */
export const MAX_DEPTH = 100
export const TOO_DEEP = `is nested more than ${MAX_DEPTH} deep`

/** How many characters the aliases of a file may stand for. */
const MAX_ALIASED = 5 * 1024 * 1024

/** The tags of JSON's values; `!` asks for none. */
const JSON_TAG = /^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq))$/

/**
 * The JSON that YAML stands for, with aliases and merges written out; what JSON or `jsonb` cannot hold; and what YAML 1.1
 * would have read differently.
 */
export function readValues(root: unknown, lines: LineCounter, wrong: Report, note: Report) {
  const anchors = new Map<string, Anchored>()
  let size = 0
  let aliased = 0
  let deepest = 0
  let isWhole = true
  /** Of what is being read. */
  const path: PropertyKey[] = []

  const lineOf = (node: unknown) => lines.linePos(offsetOf(node)).line

  function readAt(step: PropertyKey, node: unknown): Json {
    path.push(step)
    const value = read(node)
    path.pop()
    return value
  }

  function read(node: unknown, isKey = false): Json {
    deepest = Math.max(deepest, path.length)
    size += 1
    if (isAlias(node)) return readAlias(node)
    if (!isNode(node)) return null
    const [sizeBefore, deepestBefore] = [size, deepest]
    const anchored: Anchored = { value: undefined, size: 0, depth: 0 }
    if (node.anchor !== undefined) anchors.set(node.anchor, anchored)
    if (node.tag !== undefined && !JSON_TAG.test(node.tag))
      wrong(offsetOf(node), path, `has the tag ${node.tag}, which JSON has no value for`)
    deepest = path.length
    if (isMap(node)) anchored.value = readMap(node)
    else if (isSeq(node)) anchored.value = node.items.map((item, index) => readAt(index, item))
    else anchored.value = readScalar(node as Scalar, isKey)
    anchored.size = size - sizeBefore
    anchored.depth = deepest - path.length
    deepest = Math.max(deepest, deepestBefore)
    return anchored.value
  }

  function readAlias(node: Alias): Json {
    const { source } = node
    const target = anchors.get(source)
    // Nothing more is wrong with an empty mapping.
    if (target?.value === undefined) {
      const fault = target ? 'contains itself' : `has no anchor &${source} before it`
      wrong(offsetOf(node), path, `*${source} ${fault}`)
      return {}
    }
    size += target.size
    aliased += target.size
    const isTooDeep = path.length + target.depth > MAX_DEPTH
    if (aliased <= MAX_ALIASED && !isTooDeep) {
      deepest = Math.max(deepest, path.length + target.depth)
      return target.value
    }
    if (isWhole)
      wrong(offsetOf(node), path, isTooDeep ? TOO_DEEP : 'the aliases up to here stand for over 5 MB')
    isWhole = false
    return {}
  }

  function readMap(map: YAMLMap): JsonObject {
    const own: [string, Json][] = []
    let merged: JsonObject[] = []
    const first = new Map<unknown, unknown>()
    for (const { key, value } of map.items as Pair[]) {
      // In quotes, << is a key like any other.
      const isMerge = isScalar(key) && key.type === 'PLAIN' && key.source === '<<'
      const name = nameOf(key)
      path.push(name)
      read(key, true)
      const earlier = first.get(isMerge || name)
      if (earlier) wrong(offsetOf(key), path, `is a duplicate key; the first is on line ${lineOf(earlier)}`)
      else first.set(isMerge || name, key)
      const json = read(value)
      const sources = isMerge ? [json].flat() : []
      if (!isMerge) own.push([name, json])
      else if (sources.every(isObject)) merged = sources as JsonObject[]
      else wrong(offsetOf(value), path, 'only a mapping, or a list of mappings, can be merged')
      path.pop()
    }
    // Of two mappings that are merged, the first counts.
    const entries = merged.toReversed().flatMap(source => Object.entries(source))
    return Object.fromEntries(entries.length > 0 ? [...entries, ...own] : own)
  }

  function readScalar(node: Scalar, isKey: boolean): Json {
    size += node.source?.length ?? 0
    const fault = scalarProblem(node)
    if (fault) wrong(offsetOf(node), path, fault)
    const remark = scalarNote(node, isKey)
    if (remark) note(offsetOf(node), path, remark)
    return node.value as Json
  }

  const value = read(root)
  return isWhole ? value : undefined
}

/** Gives the offset of the value at a path, or of its key; if there is none, that of its nearest parent. */
export function offsetsIn(root: unknown) {
  const pairs = new WeakMap<YAMLMap, Map<PropertyKey, Pair>>()
  const pairOf = (map: YAMLMap, step: PropertyKey) => {
    const known = pairs.get(map) ?? new Map((map.items as Pair[]).map(pair => [nameOf(pair.key), pair]))
    pairs.set(map, known)
    return known.get(step)
  }
  return (path: Path, at: 'key' | 'value' = 'value'): number => {
    let pair: Pick<Pair, 'key' | 'value'> = { key: root, value: root }
    for (const step of path) {
      const { value } = pair
      const item = isSeq(value) ? value.items[step as number] : undefined
      const inner = isMap(value) ? pairOf(value, step) : isNode(item) ? { key: item, value: item } : undefined
      if (!inner) return startOf(pair)
      pair = inner
    }
    return at === 'key' ? offsetOf(pair.key) : startOf(pair)
  }
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key)
}

/** Of an empty value, where its key begins. */
function startOf({ key, value }: Pick<Pair, 'key' | 'value'>): number {
  return offsetOf(isNode(value) ? value : key)
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}
