import type { Migration } from '../migrations/files.ts'
import type { Difference } from './compare.ts'
import { nameOf } from './files.ts'

/** What `create or replace function` sets, whatever it was before. */
const setByReplacing = ['body', 'configuration', 'security', 'language', 'behaviour']

/** The first of these migrations that sets anew as a whole what differs: a function, EXECUTE, a table's grants. */
export function findReplacement(difference: Difference, later: Migration[]): string | undefined {
  return later.find(({ up }) => up.statements.some(({ sql }) => setsAnew(plain(sql), difference)))?.name
}

function setsAnew(statement: string, { object, fact, expected, found }: Difference): boolean {
  // No grant takes back the right to pass it on, and a revoke stops at whom it was passed on to.
  if (fact === null || found?.includes('may pass on')) return false
  const isFunction = object.startsWith('function ')
  if (isFunction && setByReplacing.includes(fact)) {
    return statement.startsWith(`create or replace function ${nameOf(object)}`)
  }
  const [, role] = /^grants (?:on column .* )?to (.*)$/.exec(fact) ?? []
  if (role === undefined) return false
  const [, verb, kind = '', names = '', roles = ''] =
    /^(grant|revoke) all on (function )?(.*) (?:to|from) (.*)$/.exec(statement) ?? []
  return (
    verb === (expected === null ? 'revoke' : 'grant') &&
    (kind !== '') === isFunction &&
    listed(names, nameOf(object)) &&
    listed(roles, role)
  )
}

function listed(list: string, name: string): boolean {
  return list.split(/, ?/).includes(name)
}

/** Without comments, on one line. */
function plain(sql: string): string {
  return sql
    .replace(/--[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .replace(/;? $|;$/, '')
    .trim()
    .toLowerCase()
}
