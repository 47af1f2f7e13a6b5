import type { Migration } from '../migrator/files.ts'
import type { Difference } from './compare.ts'
import { nameOf } from './files.ts'

/** What `create or replace function` replaces. */
const setByReplacing = ['body', 'configuration', 'security', 'language', 'behaviour']

/** The first of these migrations that replaces what differs: a function, or the grants on a function or table. */
export function findReplacement(difference: Difference, later: Migration[]): string | undefined {
  return later.find(({ up }) => up.statements.some(({ sql }) => replaces(plain(sql), difference)))?.name
}

function replaces(statement: string, { object, fact, expected, found }: Difference): boolean {
  // A grant does not take back the grant option, and a revoke fails where it was used.
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

/** On one line, without comments. */
function plain(sql: string): string {
  return sql
    .replace(/--[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .replace(/;? $|;$/, '')
    .trim()
    .toLowerCase()
}
