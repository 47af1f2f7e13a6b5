import { nameOf } from './files.ts'
import type { Catalog, Facts } from './read.ts'

/** A difference between a database and what it should be. */
export interface Difference {
  /** `table public.memories` */
  object: string
  /** `policy anon_select_memories`; null where the whole object is missing, or should not be there. */
  fact: string | null
  /** What it should be; null where it should not be there. */
  expected: string | null
  /** What it is, or for something renamed its name; null where it is missing. */
  found: string | null
  /** The same as a sentence. */
  message: string
}

/** How `found` differs from `expected`. Additional indexes that are not unique are allowed; nothing else is. */
export function compare(expected: Catalog, found: Catalog): Difference[] {
  const objects = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort()
  return objects.flatMap(object => {
    const [should, is] = [expected[object], found[object]]
    if (should && is) return compareFacts(object, should, is)
    return should
      ? [difference(object, null, '', undefined, `${object} is missing`)]
      : [difference(object, null, undefined, '', `${object} should not exist`)]
  })
}

function compareFacts(object: string, expected: Facts, found: Facts): Difference[] {
  const extra = new Set(Object.keys(found).filter(fact => !(fact in expected)))
  const differences: Difference[] = []
  for (const [fact, should] of Object.entries(expected)) {
    if (found[fact] === should) continue
    const renamed = [...extra].find(
      other => !(fact in found) && canBeRenamed(fact, other) && found[other] === should,
    )
    if (renamed === undefined) differences.push(difference(object, fact, should, found[fact]))
    else {
      extra.delete(renamed)
      const message = `${fact} on ${object} is called ${nameOf(renamed)}`
      differences.push(difference(object, fact, should, renamed, message))
    }
  }
  for (const fact of extra) {
    const allowed = kindOf(fact) === 'index' && !found[fact]?.startsWith('CREATE UNIQUE ')
    if (!allowed) differences.push(difference(object, fact, undefined, found[fact]))
  }
  return differences
}

function difference(
  object: string,
  fact: string | null,
  expected: string | null = null,
  found: string | null = null,
  message = sentence(object, fact ?? '', expected, found),
): Difference {
  return { object, fact, expected, found, message }
}

function sentence(object: string, fact: string, expected: string | null, found: string | null): string {
  if (kindOf(fact) === 'grants') {
    const [, place = '', role] = /^grants( on column .*)? to (.*)$/.exec(fact) ?? []
    return `${role} has ${found ?? 'nothing'}${place} on ${object}, and should have ${expected ?? 'nothing'}`
  }
  if (kindOf(fact) === 'view') {
    return `${fact} opens ${object} to ${found ?? 'nobody'}, and should open it to ${expected ?? 'nobody'}`
  }
  if (fact === 'body' && expected !== null && found !== null) {
    return `the body of ${object} ${firstDifference(expected, found)}`
  }
  if (!/^(?:column|constraint|index|policy|trigger|rule) /.test(fact)) {
    const verb = /^(?:arguments|attributes|options)$/.test(fact) ? 'are' : 'is'
    const they = verb === 'are' ? 'they' : 'it'
    return `the ${fact} of ${object} ${verb}: ${found ?? 'not set'}; ${they} should be: ${expected ?? 'not set'}`
  }
  const what = `${fact} on ${object}`
  if (found === null) return `${what} is missing`
  if (expected === null) return `${what} should not exist: ${found}`
  return `${what} is: ${found}; it should be: ${expected}`
}

function firstDifference(expected: string, found: string): string {
  const lines = (body: string) => body.trim().split('\n')
  const [should, is] = [lines(expected), lines(found)]
  const line = should.findIndex((text, i) => text !== is[i])
  if (line < 0 && is.length <= should.length) return 'differs only in the blank lines around it'
  const at = line < 0 ? should.length : line
  const quote = (text: string | undefined) => (text === undefined ? 'nothing' : `"${text.trim()}"`)
  return `has in line ${at + 1} ${quote(is[at])}, and should have ${quote(should[at])}`
}

function canBeRenamed(fact: string, other: string): boolean {
  const kind = kindOf(fact)
  return ['column', 'constraint', 'index', 'policy', 'trigger'].includes(kind) && kindOf(other) === kind
}

function kindOf(fact: string): string {
  return fact.split(' ')[0] ?? ''
}
