import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type postgres from 'postgres'

export type Options = postgres.Options<Record<string, never>>

/** What is wrong with a URL, to be read after "DATABASE_URL" or "the URL". It repeats nothing that may be a password. */
export class UrlError extends TypeError {
  override name = 'UrlError'
}

const FORM =
  'is not a URL of the form postgresql://user:password@host:port/database, with special characters percent-encoded'

/** No @ or # may follow later: it would belong to a password that is not encoded and ends too early, and would be shown. */
const PARTS =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:/?#]*)(?::(?<password>[^/?#]*))?@)?(?<hosts>[^/?#@\s]*)(?:\/(?<database>[^?#@]*))?(?:\?(?<query>[^#@]*))?$/

/** What only the pool or cache of another library is told, and what holds in any case. */
const WITHOUT_EFFECT = new RegExp(
  `^(?:${[
    'connection_limit|pool(?:_\\w+)?|socket_timeout|max_(?:idle_)?connection_lifetime|conn_max_age|supa|workaround',
    'pgbouncer|prepared_statements|(?:prepared_)?statement_cache_size|serverversion|uselibpqcompat',
    'keepalives\\w*|tcp_user_timeout|load_balance_hosts|fallback_application_name|sslsni|sslcompression|sslaccept',
  ].join('|')})=|^(?:${[
    '(?:client_encoding|encoding|charset)=(?:utf-?8|unicode|auto)|schema=public|target_session_attrs=any',
    '(?:gssencmode|channel_binding)=(?:disable|prefer)|prepare=true',
  ].join('|')})$`,
  'i',
)

/** A pooler in transaction mode keeps no prepared statements. */
const WITHOUT_PREPARE = /^(?:pgbouncer=true|prepared_statements=false|prepare=false|statement_cache_size=0)$/i

/** Options of postgres.js that are numbers. */
const NUMBERS = ['connect_timeout', 'max', 'idle_timeout', 'max_lifetime', 'max_pipeline', 'keep_alive']

/** Settings of the server, besides its own whose name has a dot. */
const SETTING =
  /^(?:application_name|options|search_path|timezone|(?:statement|lock|transaction|idle_session|idle_in_transaction_session)_timeout|.*\..*)$/

const SESSION = /^(?:read-write|read-only|primary|standby|prefer-standby)$/
const TLS_FLAGS: Record<string, string> = {
  true: 'verify-full',
  1: 'verify-full',
  false: 'disable',
  0: 'disable',
}
const TLS_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/** Gives a parameter's value, once. */
type Take = (name: string) => string | undefined

/**
 * A URL as options of postgres.js. By itself, postgres.js finds no socket, IPv6 address or certificate in a URL, and sends
 * parameters that it does not know to the server. TLS modes mean what they mean to libpq, or are stricter.
 *
 * @throws UrlError
 */
export function readUrl(url: string): Options {
  const parts = PARTS.exec(url.trim())?.groups ?? fail(FORM)
  const given = new Map((parts.query ?? '').split('&').map(readPair))
  const texts = [...given].map(pair => pair.join('='))
  const take: Take = name => {
    const value = given.get(name)
    given.delete(name)
    return value || undefined
  }
  const options = {
    username: take('user') ?? decode(parts.user),
    password: take('password') ?? decode(parts.password),
    database: take('dbname') ?? decode(parts.database),
    ...readServer(parts.hosts ?? '', take),
    sslnegotiation: take('sslnegotiation'),
    target_session_attrs: SESSION.test(given.get('target_session_attrs') ?? '')
      ? take('target_session_attrs')
      : undefined,
    prepare: texts.some(text => WITHOUT_PREPARE.test(text)) ? false : undefined,
    ...Object.fromEntries(NUMBERS.map(name => [name, readNumber(name, take(name))])),
    connection: Object.fromEntries([...given].filter(([name]) => SETTING.test(name))),
  }
  const unknown = [...given].filter(
    ([name, value]) =>
      value &&
      !SETTING.test(name) &&
      ![WITHOUT_EFFECT, WITHOUT_PREPARE].some(all => all.test(`${name}=${value}`)),
  )
  if (unknown.length > 0) {
    // After a password that is not encoded, names may be the rest of it.
    if (parts.query?.includes('password=')) fail(FORM)
    const names = unknown.map(([name]) => name).join(', ')
    fail(`asks for what cannot be had here: ${names}. Remove it; a setting goes into options=-c%20name=value`)
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** The URL for postgres.js as drizzle-kit calls it: without what has no effect here, which it would send to the server. */
export function plainUrl(url: string): string {
  return withParameters(url, pair => !WITHOUT_EFFECT.test(pair) && !WITHOUT_PREPARE.test(pair))
}

/** A URL without its password, and with no more parameters than say which database it is. */
export function withoutPassword(url: string): string {
  const shown = withParameters(url, pair => /^(?:host|port|dbname|user)=/i.test(pair))
  return shown.replace(/^([^:]+:\/\/[^:/?#]*):[^/?#]*@/, '$1@')
}

function withParameters(url: string, keep: (pair: string) => boolean): string {
  const [before = '', query = ''] = url.split(/\?(.*)/s)
  const kept = query.split('&').filter(keep).join('&')
  return kept === '' ? before : `${before}?${kept}`
}

function readServer(authority: string, take: Take) {
  const places = authority
    .split(',')
    .map(place => /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place) ?? fail(FORM))
  const hosts =
    take('host')?.split(',') ?? places.map(([, host]) => decode(host)?.replace(/^\[|\]$/g, '') ?? '')
  const given = take('port')?.split(',') ?? places.map(([, , port]) => port)
  const ports = hosts.map((_, index) => readNumber('port', given[given.length > 1 ? index : 0] || undefined))
  const ssl = readTls(take, hosts)
  const [host, port] = [hosts[0], ports[0]]
  if (hosts.length > 1 && hosts.some(each => each.startsWith('/'))) fail('names a socket among several hosts')
  // TLS is for the network.
  if (host?.startsWith('/')) return { host, port, ssl: false }
  if (hosts.length === 1 && !host?.includes(':')) return { host: host || undefined, port, ssl }
  // postgres.js splits a text at colons, but takes a list as it is.
  return { host: hosts, port: ports.map(each => each ?? Number(process.env.PGPORT ?? 5432)), ssl }
}

function readTls(take: Take, hosts: string[]) {
  const root = take('sslrootcert')
  const ca = root === 'system' ? undefined : readFile('sslrootcert', root)
  const [cert, key] = ['sslcert', 'sslkey'].map(name => readFile(name, take(name)))
  if (cert && !key) fail("has sslcert without sslkey. The server's authority goes into sslrootcert")
  const passphrase = take('sslpassword')
  // postgres.js cannot bind to the channel; a certificate proves the same about the server.
  const strict = [root === 'system', take('channel_binding') === 'require', take('sslaccept') === 'strict']
  const asked = take('sslmode') ?? take('ssl') ?? (ca ? 'verify-full' : cert && 'require')
  const mode = strict.includes(true) ? 'verify-full' : (TLS_FLAGS[asked ?? ''] ?? asked)
  if (mode === undefined) return undefined
  if (!TLS_MODES.includes(mode)) fail(`has an sslmode that is none of ${TLS_MODES.join(', ')}`)
  if (mode === 'disable') return false
  if (/^(?:allow|prefer)$/.test(mode) && !cert) return 'prefer'
  const verified = mode.startsWith('verify') || (mode === 'require' && ca !== undefined)
  return {
    rejectUnauthorized: verified,
    ...(mode !== 'verify-full' && ca !== undefined && { checkServerIdentity: () => undefined }),
    // The name to look for in a certificate, where an address cannot be the name that is asked for.
    host: hosts.find(isIP),
    ca,
    cert,
    key,
    passphrase,
  }
}

function readFile(name: string, path: string | undefined): string | undefined {
  try {
    return path && readFileSync(path, 'utf8')
  } catch (error) {
    return fail(`has an ${name} that cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d{1,5}$/.test(text)
    ? Number(text)
    : fail(name === 'port' ? FORM : `has a ${name} that is not a whole number`)
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
  throw new UrlError(message)
}
