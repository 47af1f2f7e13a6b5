import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type postgres from 'postgres'

export type Options = postgres.Options<Record<string, never>>

const FORM =
  'is not a URL of the form postgresql://user:password@host:port/database, with special characters percent-encoded'

/** A later @ or # is refused: a password that is not encoded has ended too early, and its rest would be shown. */
const PARTS =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:/?#]*)(?::(?<password>[^/?#]*))?@)?(?<hosts>[^/?#@\s]*)(?:\/(?<database>[^?#@]*))?(?:\?(?<query>[^#@]*))?$/

/** Parameters for another library's pool or cache, and those that ask for what is so anyway. */
const WITHOUT_EFFECT = new RegExp(
  `^(?:${[
    'connection_limit|pool(?:_\\w+)?|socket_timeout|max_(?:idle_)?connection_lifetime|conn_max_age|supa|workaround',
    'pgbouncer|prepared_statements|(?:prepared_)?statement_cache_size|serverversion|uselibpqcompat|schema=public',
    'keepalives\\w*|tcp_user_timeout|load_balance_hosts|fallback_application_name|sslsni|sslcompression|prepare',
    '(?:client_encoding|encoding|charset)=(?:utf-?8|unicode|auto)',
    'target_session_attrs=any|(?:gssencmode|channel_binding)=(?:disable|prefer)|sslaccept=accept_invalid_certs',
  ].join('|')})(?:=|$)`,
  'i',
)

/** A pooler in transaction mode keeps no prepared statements. */
const WITHOUT_PREPARE =
  /(?:^|&)(?:pgbouncer=true|(?:prepared_statements|prepare)=false|statement_cache_size=0)(?:&|$)/i

/** Options of postgres.js that are numbers. */
const NUMBERS = ['connect_timeout', 'max', 'idle_timeout', 'max_lifetime', 'max_pipeline', 'keep_alive']

/** Settings of the server. */
const SETTING =
  /^(?:application_name|options|search_path|timezone|(?:statement|lock|transaction|idle_session|idle_in_transaction_session)_timeout|.+\..+)$/

const SESSION = /^(?:read-write|read-only|primary|standby|prefer-standby)$/
const TLS_MODE = /^(?:disable|allow|prefer|require|verify-ca|verify-full|no-verify)$/

/** Takes a parameter out of those that are left. */
type Take = (name: string, isRight?: RegExp) => string | undefined

/**
 * A URL as options of postgres.js. By itself, postgres.js finds no socket, IPv6 address or certificate in a URL, and sends
 * parameters that it does not know to the server. TLS modes mean what they mean to libpq, or are stricter.
 *
 * @throws TypeError that says what is wrong, to be read after "DATABASE_URL", and repeats nothing that may be a password
 */
export function readUrl(url: string): Options {
  const { user, password, hosts = '', database, query = '' } = PARTS.exec(url.trim())?.groups ?? fail(FORM)
  const left = new Map(query.split('&').map(readPair))
  const take: Take = (name, isRight = /./) => {
    const value = left.get(name) ?? ''
    return isRight.test(value) && left.delete(name) ? value : undefined
  }
  const options = {
    username: take('user') ?? decode(user),
    password: take('password') ?? decode(password),
    database: take('dbname') ?? decode(database),
    ...readServer(hosts, take),
    sslnegotiation: take('sslnegotiation'),
    target_session_attrs: take('target_session_attrs', SESSION),
    prepare: WITHOUT_PREPARE.test(query) ? false : undefined,
    ...Object.fromEntries(
      NUMBERS.flatMap(name => (/^\d+$/.test(left.get(name) ?? '') ? [[name, Number(take(name))]] : [])),
    ),
    connection: Object.fromEntries([...left].filter(([name]) => SETTING.test(name))),
  }
  const unknown = [...left].filter(
    ([name, value]) => value && !SETTING.test(name) && !WITHOUT_EFFECT.test(`${name}=${value}`),
  )
  if (unknown.length > 0) {
    // After a password that is not encoded, a name may be the rest of it.
    const names = query.includes('password=') ? fail(FORM) : unknown.map(([name]) => name).join(', ')
    fail(`asks for what cannot be had here: ${names}. Remove it; a setting goes into options=-c%20name=value`)
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** The URL for postgres.js as drizzle-kit calls it: without what has no effect here, but would there. */
export function plainUrl(url: string): string {
  return withParameters(url, pair => !WITHOUT_EFFECT.test(pair))
}

/** A URL without its password, and with no more parameters than say which database it is. */
export function withoutPassword(url: string): string {
  const shown = withParameters(url, pair => /^(?:host|port|dbname|user)=/i.test(pair))
  return shown.replace(/^([^:]+:\/\/[^:/?#]*):[^/?#]*@/, '$1@')
}

function withParameters(url: string, keep: (pair: string) => boolean): string {
  const [before = '', query = ''] = url.split(/\?(.*)/s)
  return [before, query.split('&').filter(keep).join('&')].filter(Boolean).join('?')
}

function readServer(authority: string, take: Take) {
  const places = authority
    .split(',')
    .map(place => /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place) ?? fail(FORM))
  const hosts =
    take('host')?.split(',') ?? places.map(([, host]) => (decode(host) ?? '').replace(/^\[|\]$/g, ''))
  const given = take('port', /^[\d,]+$/)?.split(',') ?? places.map(([, , port]) => port)
  const ports = hosts.map((_, index) => Number(given[given.length > 1 ? index : 0]) || undefined)
  if (ports.some(port => port && port > 65_535)) fail(FORM)
  const ssl = readTls(take, hosts)
  const [host = '', port] = [hosts[0], ports[0]]
  if (hosts.length > 1 && hosts.some(each => each.startsWith('/'))) fail('names a socket among several hosts')
  // TLS is for the network.
  if (host.startsWith('/')) return { host, port, ssl: false }
  if (hosts.length === 1 && !host.includes(':')) return { host: host || undefined, port, ssl }
  // postgres.js splits a text at colons, but takes a list as it is.
  return { host: hosts, port: ports.map(each => each ?? Number(process.env.PGPORT ?? 5432)), ssl }
}

function readTls(take: Take, hosts: string[]) {
  const root = take('sslrootcert')
  const files = {
    sslrootcert: root === 'system' ? '' : root,
    sslcert: take('sslcert'),
    sslkey: take('sslkey'),
  }
  const [ca, cert, key] = Object.entries(files).map(readFile)
  const passphrase = take('sslpassword')
  if (cert && !key) fail("has sslcert without sslkey. The server's authority goes into sslrootcert")
  // postgres.js cannot bind to the channel; a certificate proves the same about the server.
  const strict = [take('channel_binding', /^require$/), take('sslaccept', /^strict$/), root === 'system']
  const flag = take('ssl', /^(?:true|1|false|0|require)$/)
  const flagged = flag?.replace(/^(?:true|1)$/, 'verify-full').replace(/^(?:false|0)$/, 'disable')
  const asked = take('sslmode', TLS_MODE) ?? flagged ?? (ca ? 'verify-full' : cert ? 'require' : 'prefer')
  const mode = strict.some(Boolean) ? 'verify-full' : asked
  if (mode === 'disable') return false
  // As libpq does where nothing is said: many hosts take no connection without TLS.
  if (/^(?:allow|prefer)$/.test(mode) && !cert) return 'prefer'
  return {
    rejectUnauthorized: mode.startsWith('verify') || (mode === 'require' && ca !== undefined),
    ...(mode !== 'verify-full' && ca && { checkServerIdentity: () => undefined }),
    // Where an address is connected to, postgres.js would look for "localhost" in the certificate.
    host: hosts.find(isIP),
    ...{ ca, cert, key, passphrase },
  }
}

function readFile([name, path]: [string, string | undefined]): string | undefined {
  try {
    return path ? readFileSync(path, 'utf8') : undefined
  } catch (error) {
    return fail(`has an ${name} that cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function readPair(pair: string): [name: string, value: string] {
  // A plus is a plus, as for libpq, but in `options` it is the space that JavaScript's URLs make it.
  const text = pair.startsWith('options=') ? pair.replaceAll('+', ' ') : pair
  const [name = '', value = ''] = text.split(/=(.*)/s).map(part => decode(part) ?? '')
  return [name.toLowerCase(), value]
}

function decode(text = ''): string | undefined {
  try {
    return decodeURIComponent(text) || undefined
  } catch {
    return fail(FORM)
  }
}

function fail(message: string): never {
  throw new TypeError(message)
}
