import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { isStorable } from '../json.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { MAX_DEPTH } from './compose.ts'
import { isExact } from './exact.ts'
import type { Source } from './source.ts'

/** Where a key and its value stand in the text; not exact where the path leads nowhere, but its beginning does. */
type Place = { key: number; value: number; exact: boolean }

export type ReadDocument = {
  value: Json
  /** False when reading stopped early: what is missing then is no mistake. */
  readable: boolean
  /** Offsets of the values that were reported, and are null instead. */
  flagged: ReadonlySet<number>
  place(path: readonly PropertyKey[]): Place
}

/** The most characters that a file may stand for once its aliases are written out. */
const MAX_SIZE = 10 * 1024 * 1024
/** What a value counts for beside its characters. */
const VALUE_SIZE = 16
const JSON_TAG = /^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq))$/

/**
 * The JSON value of a YAML node, as jsonb would keep it, and where each part of it stands. What JSON or jsonb cannot
 * hold is reported and read as null, so that the rest is still checked.
 */
export function readJson(root: Node | null, { report, lineOf }: Source): ReadDocument {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  const open = new Set<Node>()
  const pairsOf = new Map<YAMLMap, Map<unknown, Pair>>()
  const flagged = new Set<number>()
  const path: PropertyKey[] = []
  // Counted while aliases are followed: a few lines of them can stand for more than memory holds.
  let size = 0
  let readable = true
  let outermost: { offset: number; path: PropertyKey[] } | undefined

  function mistake(offset: number, message: string, where = path): null {
    if (readable && !flagged.has(offset)) report(offset, where, message)
    flagged.add(offset)
    return null
  }

  function read(node: unknown, offset: number): Json {
    if (!readable || node === null || node === undefined) return null
    if (isAlias(node)) return readAlias(node, offset)
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return mistake(offset, 'is not a value')
    if (path.length > MAX_DEPTH && outermost) {
      return mistake(outermost.offset, `is nested more than ${MAX_DEPTH} deep`, outermost.path)
    }
    size += VALUE_SIZE + (isScalar(node) ? (node.source?.length ?? 0) : 0)
    if (size > MAX_SIZE) {
      const { offset: at, path: where } = outermost ?? { offset, path }
      mistake(at, 'is too much: with its aliases written out the file passes 10 million characters', where)
      readable = false
      return null
    }
    if (node.tag !== undefined && !JSON_TAG.test(node.tag)) {
      return mistake(offset, `has the tag ${node.tag}, which JSON has no value for`)
    }
    if (node.anchor === undefined) return readContent(node, offset)
    // Known by name from its beginning on: so it is seen when it contains itself.
    if (!outermost) anchors.set(node.anchor, node)
    open.add(node)
    const value = readContent(node, offset)
    open.delete(node)
    return value
  }

  function readContent(node: Node, offset: number): Json {
    if (isScalar(node)) return readScalar(node, offset)
    if (isMap(node)) return readMap(node)
    return isSeq(node) ? node.items.map((item, index) => readAt(index, item, offsetOf(item, offset))) : null
  }

  function readAt(step: PropertyKey, node: unknown, offset: number): Json {
    path.push(step)
    const value = read(node, offset)
    path.pop()
    return value
  }

  /** Reads anew what the alias stands for: which that is was settled when the alias was met first. */
  function readAlias(alias: Alias, offset: number): Json {
    const name = alias.source
    const target = outermost ? targets.get(alias) : anchors.get(name)
    if (target === undefined) return mistake(offset, `*${name} has no anchor &${name} before it`)
    if (open.has(target)) return mistake(offset, `*${name} contains itself`)
    targets.set(alias, target)
    const before = outermost
    outermost ??= { offset, path: [...path] }
    const value = read(target, offsetOf(target, offset))
    outermost = before
    return value
  }

  function readScalar({ value, source = String(value) }: Scalar, offset: number): Json {
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'string') {
      const wrong = wrongText(value)
      return wrong ? mistake(offset, wrong) : value
    }
    if (typeof value === 'bigint' || typeof value === 'number') {
      const number = Number(value)
      const shown = source.length > 40 ? `${source.slice(0, 40)}…` : source
      if (!Number.isFinite(number)) return mistake(offset, `is ${shown}, which JSON cannot hold`)
      if (isExact(value, source)) return number
      return mistake(offset, `${shown} is a number that JSON readers change: write it in quotes`)
    }
    const what = value instanceof Date ? 'date' : typeof value
    return mistake(offset, `is a ${what}, which JSON cannot hold: write it in quotes`)
  }

  function readMap(node: YAMLMap): JsonObject {
    const value: JsonObject = {}
    const merges: Json[] = []
    for (const pair of node.items as Pair[]) {
      const { key: at, value: valueAt } = placeOf(pair, offsetOf(node, 0))
      if (isMergeKey(pair.key)) {
        if (merges.length > 0) mistake(at, 'a second << in one mapping: merge a list instead')
        const merged = readAt('<<', pair.value, valueAt)
        if (![merged].flat().every(isObject)) {
          mistake(valueAt, 'only a mapping, or a list of mappings, can be merged', [...path, '<<'])
        }
        merges.push(merged)
        continue
      }
      const key = readKey(pair.key, at)
      const child = readAt(key ?? '?', pair.value, valueAt)
      if (key === undefined) continue
      if (Object.hasOwn(value, key)) {
        const first = (node.items as Pair[]).find(other => keyOf(other) === key)
        const line = lineOf(first ? placeOf(first, at).key : at)
        mistake(at, `is a duplicate key; the first is on line ${line}`, [...path, key])
        continue
      }
      put(value, key, child)
    }
    for (const source of merges.flat().filter(isObject)) {
      for (const key of Object.keys(source))
        if (!Object.hasOwn(value, key)) put(value, key, source[key] ?? null)
    }
    return value
  }

  function readKey(node: unknown, offset: number): string | undefined {
    const value = read(node, offset)
    if (typeof value === 'string') return value
    mistake(offset, 'has a key that is not text, as JSON keys are: write it in quotes')
    return undefined
  }

  function resolve(node: unknown): unknown {
    return isAlias(node) ? targets.get(node) : node
  }

  function keyOf({ key }: Pair): unknown {
    const node = resolve(key)
    return isScalar(node) && !isMergeKey(key) ? node.value : undefined
  }

  /** The pair with this key, from an index that only files with mistakes need. */
  function ownPair(node: YAMLMap, key: string): Pair | undefined {
    const pairs =
      pairsOf.get(node) ?? new Map((node.items as Pair[]).toReversed().map(pair => [keyOf(pair), pair]))
    pairsOf.set(node, pairs)
    return pairs.get(key)
  }

  /** What a step leads to: an item of a list, a pair of a mapping, or else a pair of what is merged into it. */
  function follow(from: unknown, step: PropertyKey): { key: unknown; value: unknown } | undefined {
    const node = resolve(from)
    if (isSeq(node)) {
      const item = node.items[Number(step)]
      return item === undefined ? undefined : { key: item, value: item }
    }
    if (!isMap(node)) return undefined
    const own = ownPair(node, String(step))
    if (own) return own
    for (const merge of (node.items as Pair[]).filter(pair => isMergeKey(pair.key))) {
      const sources = resolve(merge.value)
      for (const source of isSeq(sources) ? sources.items : [sources]) {
        const found = follow(source, step)
        if (found) return found
      }
    }
    return undefined
  }

  function place(steps: readonly PropertyKey[]): Place {
    const start = offsetOf(root, 0)
    let node: unknown = root
    let at: Place = { key: start, value: start, exact: true }
    for (const step of steps) {
      const next = follow(node, step)
      if (next === undefined) return { ...at, exact: false }
      at = placeOf(next, at.value)
      node = next.value
    }
    return at
  }

  const value = read(root, offsetOf(root, 0))
  return { value, readable, flagged, place }
}

function placeOf(pair: { key: unknown; value: unknown } | undefined, otherwise: number): Place {
  const key = offsetOf(pair?.key, offsetOf(pair?.value, otherwise))
  return { key, value: offsetOf(pair?.value, key), exact: true }
}

function isMergeKey(node: unknown): boolean {
  return isScalar(node) && node.type === 'PLAIN' && node.source === '<<' && node.tag === undefined
}

/** Whether a value is a mapping. */
export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets a property of the object itself, whatever the name: `__proto__` is a key like any other. */
function put(object: JsonObject, key: string, value: Json): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

function offsetOf(node: unknown, otherwise: number): number {
  if (typeof node !== 'object' || node === null || !('range' in node)) return otherwise
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : otherwise
}

function wrongText(text: string): string | undefined {
  if (isStorable(text)) return undefined
  return text.includes('\0')
    ? 'holds a NUL character, which PostgreSQL cannot store'
    : 'holds half of a surrogate pair, which is no character'
}
