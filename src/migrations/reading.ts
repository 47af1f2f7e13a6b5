import { type Relation, type Relations, relationCalled } from './relations.ts'

/** PostgreSQL's table locks, the weakest first. */
const lockModes = [
  'access share',
  'row share',
  'row exclusive',
  'share update exclusive',
  'share',
  'share row exclusive',
  'exclusive',
  'access exclusive',
] as const

export type LockMode = (typeof lockModes)[number]

export interface Lock {
  mode: LockMode
  table: string
}

/** What a statement is read with, and what has been found so far. */
export interface Reading extends Relations {
  /** Made in the same transaction: nobody else can want it. */
  made: Set<Relation>
  /** What is dropped in a body may be dropped under a condition, and is not forgotten. */
  inBody: boolean
  quoted: string[]
  followed: Set<string>
  locks: Map<Relation, Lock>
  /** The tables that rows are moved from, or changed in. */
  moved: Relation[]
}

export function once({ followed }: Reading, step: string): boolean {
  return followed.size < followed.add(step).size
}

export function lockNamed(reading: Reading, text: string, mode: LockMode): void {
  for (const table of named(reading, text)) {
    lock(reading, table, mode)
    for (const other of table.reads) lock(reading, other, mode)
  }
}

export function lock({ locks, made }: Reading, table: Relation, mode: LockMode): void {
  if (made.has(table)) return
  const held = locks.get(table)
  if (!held || rank(held) < rank({ mode })) locks.set(table, { mode, table: held?.table ?? table.name })
}

export function rank({ mode }: Pick<Lock, 'mode'>): number {
  return lockModes.indexOf(mode)
}

export function relation({ tables }: Reading, name: string): Relation {
  return relationCalled(tables, qualified(name))
}

export function make(reading: Reading, name: string): Relation {
  const before = reading.tables.length
  const table = relation(reading, name)
  if (reading.tables.length > before) reading.made.add(table)
  return table
}

export function named({ tables }: Reading, text: string): Relation[] {
  const names = namesIn(text)
  return tables.filter(table => names.has(table.name))
}

export function indexedBy({ tables }: Reading, text: string): Relation[] {
  const names = namesIn(text)
  return tables.filter(table => table.indexes.some(index => names.has(index)))
}

export function referencing({ tables }: Reading, table: Relation): Relation[] {
  return tables.filter(({ keys }) => keys.some(({ to }) => to === table))
}

/** Every word that may be a name, and what it may be a column of. */
export function namesIn(text: string): Set<string> {
  const words = text.match(/[\w$.]+/g) ?? []
  return new Set(words.flatMap(word => [word, word.replace(/\.[^.]*$/, '')]).map(qualified))
}

/** Migrations run with public as their search path. */
export function qualified(name: string): string {
  return name.includes('.') ? name : `public.${name}`
}

export function beside(neighbour: string, name: string): string {
  return neighbour.replace(/[^.]*$/, name)
}
