import {
  beside,
  indexedBy,
  type Lock,
  lock,
  lockNamed,
  make,
  named,
  namesIn,
  once,
  qualified,
  type Reading,
  rank,
  referencing,
  relation,
} from './reading.ts'
import type { Relation, Relations } from './relations.ts'

/**
 * Says from a statement's text which tables it locks, the strongest lock first, and about how many rows it moves;
 * then brings `relations` to what they are after it. What is not certain is taken for the stronger; of a command that
 * no rule knows, every table named is taken to be locked for everybody. Not seen are what `execute` makes up, bodies
 * outside dollar quotes, and what else than triggers a dropped function takes along.
 *
 * @param made what this transaction has made so far; its locks are left out
 */
export function locksOf(
  sql: string,
  relations: Relations,
  made: Set<Relation>,
): { locks: Lock[]; rows?: number | null } {
  const reading: Reading = {
    ...relations,
    made,
    inBody: false,
    quoted: [],
    followed: new Set(),
    locks: new Map(),
    moved: [],
  }
  readText(reading, sql)
  const locks = [...reading.locks.values()].sort((a, b) => rank(b) - rank(a) || (a.table < b.table ? -1 : 1))
  if (reading.moved.length === 0) return { locks }
  // Of several moves the largest: what was never analysed is likely to be small.
  const known = reading.moved.map(table => table.rows).filter(rows => rows !== null)
  return { locks, rows: known.length > 0 ? Math.max(...known) : null }
}

const quotes =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$([\s\S]*?)\$\1\$|\be'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|"((?:""|[^"])*)"/gi

/** In a body, a condition may stand before a command. */
const command =
  /(?:^|\b(?:begin|then|else|loop) )((?:do .*«|(?:alter|analyze|cluster|comment on|create|drop|grant|lock|reassign|refresh|reindex|revoke|truncate|vacuum)\b).*)/

function readText(reading: Reading, sql: string): void {
  const bare = sql.replace(quotes, (_, _tag, body?: string, name?: string) =>
    body === undefined ? (name?.replace(/\W/g, '_') ?? ' ') : `«${reading.quoted.push(body) - 1}»`,
  )
  for (const part of bare.toLowerCase().split(';')) {
    const statement = part.replace(/\s+/g, ' ').trim()
    const [, ddl = ''] = command.exec(statement) ?? []
    readQuery(reading, statement.slice(0, statement.length - ddl.length))
    for (const [pattern, rule] of ddl ? rules : []) {
      const found = pattern.exec(ddl)
      if (found === null) continue
      rule(reading, ddl, ...found.slice(1).map(group => group ?? ''))
      break
    }
  }
}

type Rule = (reading: Reading, ddl: string, ...found: string[]) => void

/** The first that fits is followed. */
const rules: [RegExp, Rule][] = [
  [/^do .*«(\d+)»/, (reading, _, body) => readBody(reading, reading.quoted[Number(body)])],
  // From PostgreSQL 18 on; no lock at all before.
  [
    /^(?:grant|revoke) .*? on all tables in schema ([\w$]+)/,
    (reading, _, schema = '') => {
      const within = reading.tables.filter(table => table.name.startsWith(`${schema}.`))
      for (const table of within) lock(reading, table, 'access share')
    },
  ],
  [/^(?:grant|revoke) /, (reading, ddl) => lockNamed(reading, ddl, 'access share')],
  [/^comment /, (reading, ddl) => lockNamed(reading, ddl, 'share update exclusive')],
  [
    /^create (?:or replace )?(?:function|procedure) ([\w$.]+)[^«]*(?:«(\d+)»)?/,
    (reading, ddl, name = '', body = '') => {
      const text = reading.quoted[Number(body || -1)] ?? ''
      reading.bodies.set(qualified(name), text)
      // A body in SQL is read when it is made, one in PL/pgSQL when it runs.
      if (/\blanguage sql\b/.test(ddl)) readBody({ ...reading, moved: [] }, text)
    },
  ],
  [
    /^drop (?:function|procedure|routine) .*\bcascade$/,
    (reading, ddl) => {
      const gone = namesIn(ddl)
      for (const table of reading.tables.filter(table => table.triggers.some(name => gone.has(name)))) {
        lock(reading, table, 'access exclusive')
        if (!reading.inBody) table.triggers = table.triggers.filter(name => !gone.has(name))
      }
    },
  ],
  [
    /^create .*?\btrigger .*? on ([\w$.]+) .*execute (?:function|procedure) ([\w$.]+)/,
    (reading, _, name = '', calls = '') => {
      const table = relation(reading, name)
      lock(reading, table, 'share row exclusive')
      table.triggers.push(qualified(calls))
    },
  ],
  [
    /^(?:create|alter|drop) (?:policy|trigger) .*? on ([\w$.]+)/,
    (reading, ddl, name = '') => {
      read(reading, ddl)
      lock(reading, relation(reading, name), 'access exclusive')
    },
  ],
  [
    /^create (?:unique )?index (concurrently )?(?:if not exists )?(?:([\w$]+) )?on (?:only )?([\w$.]+)/,
    (reading, _, concurrently, index = '', name = '') => {
      const table = relation(reading, name)
      lock(reading, table, concurrently ? 'share update exclusive' : 'share')
      table.indexes.push(beside(table.name, index))
    },
  ],
  [
    /^drop index (concurrently )?/,
    (reading, ddl, concurrently) => {
      for (const table of indexedBy(reading, ddl))
        lock(reading, table, concurrently ? 'share update exclusive' : 'access exclusive')
    },
  ],
  [
    /^create (?:global |local |temp |temporary |unlogged )*table (?:if not exists )?([\w$.]+)/,
    (reading, ddl, name = '') => {
      read(reading, ddl)
      if (/\b(?:inherits|partition of)\b/.test(ddl)) lockNamed(reading, ddl, 'access exclusive')
      addKeys(reading, make(reading, name), ddl)
    },
  ],
  [
    /^create (?:or replace )?(?:temp |temporary |recursive |materialized )*view (?:if not exists )?([\w$.]+)/,
    (reading, ddl, name = '') => {
      read(reading, ddl)
      const view = make(reading, name)
      lock(reading, view, 'access exclusive')
      view.reads = named(reading, ddl).filter(table => table !== view)
    },
  ],
  [
    /^drop (?:foreign table|table|view|materialized view) (?!.*\bcascade$)/,
    (reading, ddl) => {
      for (const table of named(reading, ddl)) {
        lock(reading, table, 'access exclusive')
        for (const { to } of table.keys) lock(reading, to, 'access exclusive')
        if (!reading.inBody) reading.tables.splice(reading.tables.indexOf(table), 1)
      }
    },
  ],
  [
    /^alter index (?:if exists )?([\w$.]+) rename to ([\w$]+)/,
    (reading, _, from = '', to = '') => {
      for (const table of indexedBy(reading, from)) table.indexes.push(beside(table.name, to))
    },
  ],
  [
    /^alter (?:foreign table|table|view|materialized view) (?:if exists )?(?:only )?([\w$.]+) rename to ([\w$]+)/,
    (reading, _, from = '', to = '') => {
      const table = relation(reading, from)
      lock(reading, table, 'access exclusive')
      table.name = beside(table.name, to)
    },
  ],
  [/^alter (?:foreign )?table (?:if exists )?(?:only )?([\w$.]+) (.*)/, alterTable],
  [
    /^/,
    (reading, ddl) => {
      lockNamed(reading, ddl, 'access exclusive')
      const others = /\b(?:cascade|owned)\b/.test(ddl) ? reading.tables : indexedBy(reading, ddl)
      for (const table of others) lock(reading, table, 'access exclusive')
    },
  ],
]

function alterTable(reading: Reading, _: string, name = '', actions = ''): void {
  const table = relation(reading, name)
  for (const action of actions.split(/,(?![^()]*\))/).map(part => part.trim())) {
    const words = new Set(action.match(/[\w$]+/g))
    const keys = table.keys.filter(({ names }) => names.length === 0 || names.some(part => words.has(part)))
    const [, from, to = ''] = /^rename (?:constraint |column )?([\w$]+) to ([\w$]+)/.exec(action) ?? []
    if (/^validate /.test(action)) {
      lock(reading, table, 'share update exclusive')
      for (const { to } of keys) lock(reading, to, 'row share')
    } else if (/^add (?:constraint [\w$]+ )?foreign key\b|^(?:en|dis)able trigger\b/.test(action)) {
      lock(reading, table, 'share row exclusive')
    } else {
      lock(reading, table, 'access exclusive')
    }
    addKeys(reading, table, action)
    if (from !== undefined) {
      for (const key of keys) key.names = key.names.map(part => (part === from ? to : part))
    } else if (/^drop |^alter .* type /.test(action)) {
      for (const { to } of keys) lock(reading, to, 'access exclusive')
      if (!/^drop (?!.*cascade)/.test(action))
        for (const other of referencing(reading, table)) lock(reading, other, 'access exclusive')
      if (/^drop /.test(action) && !reading.inBody)
        table.keys = table.keys.filter(key => key.names.length === 0 || !keys.includes(key))
    } else if (/^(?:attach|detach|no inherit|inherit) /.test(action)) {
      lockNamed(reading, action, 'access exclusive')
    }
  }
}

function addKeys(reading: Reading, table: Relation, ddl: string): void {
  const keys = /(?:constraint ([\w$]+) foreign key ?\(([^)]*)\) )?references ([\w$.]+)/g
  for (const [, own, columns = '', name = ''] of ddl.matchAll(keys)) {
    const to = relation(reading, name)
    lock(reading, to, 'share row exclusive')
    table.keys.push({ to, names: own === undefined ? [] : [own, ...(columns.match(/[\w$]+/g) ?? [])] })
  }
}

const changes =
  /\b(insert into|merge into|delete from|(?<!\b(?:for|key) )update)(?: only)? (?!set )([\w$.]+)/g
const values = /^ ?(?:as [\w$]+ )?(?:\([^()]*\) ?)?(?:overriding \w+ value )?(?:default )?values\b/

/** What a query names it reads, what it changes it changes, and what it calls is read in turn. */
function readQuery(reading: Reading, text: string): void {
  read(reading, text)
  for (const found of text.matchAll(changes)) {
    const [whole, verb, name = ''] = found
    const target = relation(reading, name)
    change(reading, target, verb !== 'insert into')
    if (verb !== 'insert into') reading.moved.push(target)
    else if (!values.test(text.slice(found.index + whole.length)))
      reading.moved.push(...named(reading, text).filter(table => table !== target))
  }
  for (const [, name = ''] of text.matchAll(/([\w$.]+) ?\(/g))
    if (once(reading, `call ${name}`)) readBody(reading, reading.bodies.get(qualified(name)))
}

function read(reading: Reading, text: string): void {
  const locking = /\bfor (?:no key update|update|share|key share)\b/.test(text)
  lockNamed(reading, text, locking ? 'row share' : 'access share')
}

/** What a body does, and as far as it stands there in words what it puts together and executes. */
function readBody(reading: Reading, body = ''): void {
  readText({ ...reading, inBody: true }, body)
  for (const [, text = ''] of body.matchAll(/\bexecute (?:format\()?'((?:''|[^'])*)'/gi)) {
    readText({ ...reading, inBody: true }, text.replaceAll("''", "'").replace(/%\w/g, 'name'))
  }
}

/** Rows that come look at those they reference; rows that go may take along those that reference them. */
function change(reading: Reading, table: Relation, removes: boolean): void {
  if (!once(reading, `${removes ? 'remove from' : 'add to'} ${table.name}`)) return
  lock(reading, table, 'row exclusive')
  for (const { to } of table.keys) lock(reading, to, 'row share')
  for (const other of table.reads) change(reading, other, removes)
  if (removes) for (const other of referencing(reading, table)) change(reading, other, removes)
  for (const name of table.triggers)
    if (once(reading, `fire ${name}`)) readBody({ ...reading, moved: [] }, reading.bodies.get(name))
}
