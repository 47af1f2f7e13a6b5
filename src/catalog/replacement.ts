import type { Migration } from '../migrator/files.ts'
import type { Difference } from './compare.ts'
import { nameOf } from './files.ts'

/** What `create or replace function` replaces. */
const setByReplacing = ['body', 'configuration', 'security', 'language', 'behaviour']

/** The first of these migrations that replaces what differs: a function, or the grants on a function or table. */
export function findReplacement(difference: Difference, later: Migration[]): string | undefined {
  return later.find(({ up }) => up.statements.some(({ sql }) => replaces(plain(sql), difference)))?.name
}

function replaces(statement: string, { object, fact, found }: Difference): boolean {
  // A revoke fails where somebody has passed on what is revoked.
  if (fact === null || found?.includes('may pass on')) return false
  const isFunction = object.startsWith('function ')
  if (isFunction && setByReplacing.includes(fact)) {
    return statement.startsWith(`create or replace function ${nameOf(object)}`)
  }
  const [, role] = /^grants (?:on column .* )?to (.*)$/.exec(fact) ?? []
  if (role === undefined) return false
  // What it grants again is for that migration to say.
  const [, kind = '', names = '', roles = ''] =
    /^revoke all on (function )?(.*) from (.*)$/.exec(statement) ?? []
  return (kind !== '') === isFunction && listed(names, nameOf(object)) && listed(roles, role)
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
