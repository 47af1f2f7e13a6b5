import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { MAX_DEPTH } from './compose.ts'
import { isExact } from './exact.ts'
import type { Source } from './source.ts'

export type Json = null | boolean | number | string | Json[] | JsonObject
export type JsonObject = { [key: string]: Json }

/** Where a key and its value stand in the text. */
type Place = { key: number; value: number }
type Places = Map<string, Place>
type Read = { value: Json; weight: number; height: number }

export type ReadDocument = {
  value: Json
  /** False when reading stopped early: what is missing then is no mistake. */
  readable: boolean
  /** Offsets of the values that were reported, and are null instead. */
  flagged: ReadonlySet<number>
  place(path: readonly PropertyKey[]): Place & { exact: boolean }
}

/** What one file may hold after its aliases are written out, in characters, a value counting for 16 more. */
export const MAX_WEIGHT = 64 * 1024 * 1024
const VALUE_WEIGHT = 16
const NOTHING: Read = { value: null, weight: VALUE_WEIGHT, height: 0 }
const JSON_TAG = /^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq))$/

/**
 * The JSON value of a YAML node, as jsonb would keep it, and where each part of it stands. What JSON or jsonb cannot
 * hold is reported and read as null, so that the rest is still checked.
 */
export function readJson(root: Node | null, { report, lineOf }: Source): ReadDocument {
  const anchors = new Map<string, { read?: Read }>()
  const places = new Map<object, Places>()
  const flagged = new Set<number>()
  const path: PropertyKey[] = []
  // Weighed and measured before it is used: a few lines of aliases can stand for more than memory holds.
  let total = 0
  let overflowing = false

  function mistake(offset: number, message: string): Read {
    flagged.add(offset)
    if (!overflowing) report(offset, path, message)
    return NOTHING
  }

  function grow(weight: number, offset: number): boolean {
    total += weight
    if (total <= MAX_WEIGHT) return true
    const message = 'is too much: with its aliases written out the file passes 64 million characters'
    if (!overflowing) report(offset, path, message)
    overflowing = true
    return false
  }

  function read(node: unknown, offset: number): Read {
    if (overflowing || node === null || node === undefined) return NOTHING
    if (isAlias(node)) return readAlias(node.source, offset)
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return mistake(offset, 'is not a value')
    if (node.tag !== undefined && !JSON_TAG.test(node.tag)) {
      return mistake(offset, `has the tag ${node.tag}, which JSON has no value for`)
    }
    // Known by name from its beginning on: so it is seen when it contains itself.
    const slot: { read?: Read } = {}
    if (node.anchor !== undefined) anchors.set(node.anchor, slot)
    slot.read = isScalar(node) ? readScalar(node, offset) : isMap(node) ? readMap(node) : readSeq(node)
    return slot.read
  }

  function readAlias(name: string, offset: number): Read {
    const slot = anchors.get(name)
    if (slot === undefined) return mistake(offset, `*${name} has no anchor &${name} before it`)
    if (slot.read === undefined) return mistake(offset, `*${name} contains itself`)
    if (path.length + slot.read.height > MAX_DEPTH)
      return mistake(offset, `is nested more than ${MAX_DEPTH} deep`)
    return grow(slot.read.weight, offset) ? slot.read : NOTHING
  }

  function readScalar(node: Scalar, offset: number): Read {
    const { value } = node
    const source = node.source ?? String(value)
    const weight = VALUE_WEIGHT + source.length
    if (!grow(weight, offset)) return NOTHING
    if (value === null || typeof value === 'boolean') return { value, weight, height: 0 }
    if (typeof value === 'string') {
      const wrong = wrongText(value)
      return wrong ? mistake(offset, wrong) : { value, weight, height: 0 }
    }
    if (typeof value === 'bigint' || typeof value === 'number') {
      const number = Number(value)
      if (!Number.isFinite(number)) return mistake(offset, `is ${shorten(source)}, which JSON cannot hold`)
      if (isExact(value, source)) return { value: number, weight, height: 0 }
      return mistake(offset, `${shorten(source)} is a number that JSON readers change: write it in quotes`)
    }
    const what = value instanceof Date ? 'date' : typeof value
    return mistake(offset, `is a ${what}, which JSON cannot hold: write it in quotes`)
  }

  function readSeq(node: YAMLSeq): Read {
    const value: Json[] = []
    const here: Places = new Map()
    const sum = { weight: VALUE_WEIGHT, height: 0 }
    node.items.forEach((item, index) => {
      const offset = offsetOf(item, offsetOf(node, 0))
      path.push(index)
      const child = read(item, offset)
      path.pop()
      value.push(child.value)
      here.set(String(index), { key: offset, value: offset })
      add(sum, child)
    })
    places.set(value, here)
    return { value, ...sum }
  }

  function readMap(node: YAMLMap): Read {
    const value: JsonObject = {}
    const here: Places = new Map()
    const sum = { weight: VALUE_WEIGHT, height: 0 }
    const merges: Json[] = []
    for (const pair of node.items as Pair[]) {
      const at = offsetOf(pair.key, offsetOf(pair.value, offsetOf(node, 0)))
      const valueAt = offsetOf(pair.value, at)
      if (isMergeKey(pair.key)) {
        if (merges.length > 0) mistake(at, 'a second << in one mapping: merge a list instead')
        path.push('<<')
        const child = read(pair.value, valueAt)
        if (![child.value].flat().every(isObject) && !flagged.has(valueAt)) {
          mistake(valueAt, 'only a mapping, or a list of mappings, can be merged')
        }
        path.pop()
        merges.push(child.value)
        add(sum, child)
        continue
      }
      const key = readKey(pair.key, at)
      path.push(key ?? '?')
      const child = read(pair.value, valueAt)
      add(sum, child)
      const first = key === undefined ? undefined : here.get(key)
      if (first !== undefined)
        report(at, path, `is a duplicate key; the first is on line ${lineOf(first.key)}`)
      path.pop()
      if (key === undefined || first !== undefined) continue
      here.set(key, { key: at, value: valueAt })
      put(value, key, child.value)
    }
    for (const source of merges.flat().filter(isObject)) {
      for (const [key, place] of places.get(source) ?? []) {
        if (here.has(key)) continue
        here.set(key, place)
        put(value, key, source[key] ?? null)
      }
    }
    places.set(value, here)
    return { value, ...sum }
  }

  function readKey(node: unknown, offset: number): string | undefined {
    const { value } = read(node, offset)
    if (typeof value === 'string') return value
    if (!flagged.has(offset))
      mistake(offset, 'has a key that is not text, as JSON keys are: write it in quotes')
    return undefined
  }

  const { value } = read(root, offsetOf(root, 0))
  return {
    value,
    readable: !overflowing,
    flagged,
    place: path => placeOf(value, path, places, offsetOf(root, 0)),
  }
}

/** Follows a path as far as it goes: a missing key stands where its mapping begins. */
function placeOf(root: Json, path: readonly PropertyKey[], places: Map<object, Places>, start: number) {
  let value = root
  let place = { key: start, value: start, exact: true }
  for (const step of path) {
    const next =
      typeof value === 'object' && value !== null ? places.get(value)?.get(String(step)) : undefined
    if (next === undefined) return { ...place, exact: false }
    place = { ...next, exact: true }
    value = (value as JsonObject)[String(step)] ?? null
  }
  return place
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

function add(sum: { weight: number; height: number }, child: Read): void {
  sum.weight += child.weight
  sum.height = Math.max(sum.height, child.height + 1)
}

function offsetOf(node: unknown, otherwise: number): number {
  if (typeof node !== 'object' || node === null || !('range' in node)) return otherwise
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : otherwise
}

function wrongText(text: string): string | undefined {
  if (text.includes('\0')) return 'holds a NUL character, which PostgreSQL cannot store'
  if (/\p{Surrogate}/u.test(text)) return 'holds half of a surrogate pair, which is no character'
  return undefined
}

function shorten(source: string): string {
  return source.length > 40 ? `${source.slice(0, 40)}…` : source
}
