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
  type YAMLSeq,
} from 'yaml'
import { isObject } from '../json.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { scalarNote, scalarProblem } from './scalar.ts'

export type Path = readonly PropertyKey[]

/** Says something about the text at an offset. */
export type Report = (offset: number, path: Path, message: string) => void

/** Where a value and its key begin, and the same of the values in it. */
export interface Place {
  key: number
  value: number
  inner?: Map<PropertyKey, Place>
}

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

  const lineOf = (node: unknown) => lines.linePos(offsetOf(node)).line

  function read(node: unknown, path: Path, place: Place, isKey = false): Json {
    deepest = Math.max(deepest, path.length)
    size += 1
    if (isAlias(node)) return readAlias(node, path)
    if (!isNode(node)) return null
    const [sizeBefore, deepestBefore] = [size, deepest]
    const anchored: Anchored = { value: undefined, size: 0, depth: 0 }
    if (node.anchor !== undefined) anchors.set(node.anchor, anchored)
    if (node.tag !== undefined && !JSON_TAG.test(node.tag))
      wrong(offsetOf(node), path, `has the tag ${node.tag}, which JSON has no value for`)
    deepest = path.length
    if (isMap(node)) anchored.value = readMap(node, path, place)
    else if (isSeq(node)) anchored.value = readList(node, path, place)
    else anchored.value = readScalar(node as Scalar, path, isKey)
    anchored.size = size - sizeBefore
    anchored.depth = deepest - path.length
    deepest = Math.max(deepest, deepestBefore)
    return anchored.value
  }

  function readAlias(node: Alias, path: Path): Json {
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

  function readList(list: YAMLSeq, path: Path, place: Place): Json {
    return list.items.map((item, index) => read(item, [...path, index], placeOf(place, index, item)))
  }

  function readMap(map: YAMLMap, path: Path, place: Place): JsonObject {
    const own: [string, Json][] = []
    let merged: JsonObject[] = []
    const first = new Map<unknown, unknown>()
    for (const { key, value } of map.items as Pair[]) {
      // In quotes, << is a key like any other.
      const isMerge = isScalar(key) && key.type === 'PLAIN' && key.source === '<<'
      const name = String(isScalar(key) ? key.value : key)
      const inner = [...path, name]
      read(key, inner, place, true)
      const earlier = first.get(isMerge || name)
      if (earlier) wrong(offsetOf(key), inner, `is a duplicate key; the first is on line ${lineOf(earlier)}`)
      else first.set(isMerge || name, key)
      const json = read(value, inner, placeOf(place, name, value, key))
      const sources = isMerge ? [json].flat() : []
      if (!isMerge) own.push([name, json])
      else if (sources.every(isObject)) merged = sources as JsonObject[]
      else wrong(offsetOf(value), inner, 'only a mapping, or a list of mappings, can be merged')
    }
    // Of two mappings that are merged, the first counts.
    const entries = merged.toReversed().flatMap(source => Object.entries(source))
    return Object.fromEntries([...entries, ...own])
  }

  function readScalar(node: Scalar, path: Path, isKey: boolean): Json {
    size += node.source?.length ?? 0
    const fault = scalarProblem(node)
    if (fault) wrong(offsetOf(node), path, fault)
    const remark = scalarNote(node, isKey)
    if (remark) note(offsetOf(node), path, remark)
    return node.value as Json
  }

  const place: Place = { key: offsetOf(root), value: offsetOf(root) }
  const value = read(root, [], place)
  return { value: isWhole ? value : undefined, place }
}

function placeOf(outer: Place, step: PropertyKey, value: unknown, key: unknown = value): Place {
  const place = { key: offsetOf(key), value: offsetOf(isNode(value) ? value : key) }
  outer.inner ??= new Map()
  outer.inner.set(step, place)
  return place
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}
