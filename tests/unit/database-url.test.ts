import { describe, expect, test } from 'vitest'
import { plainUrl, readUrl, withoutPassword } from '../../src/database-url.ts'

const read = (rest: string) => readUrl(`postgresql://${rest}`)
const plain = { username: 'me', password: 'secret', host: 'h', database: 'db', connection: {}, ssl: 'prefer' }

describe('which database', () => {
  test.each<[rest: string, options: object]>([
    ['me:secret@h/db', plain],
    ['me:secret@h:5433/db', { ...plain, port: 5433 }],
    [
      'm%40e:p%2F%23%3F%3A%40@h/my%20db',
      { ...plain, username: 'm@e', password: 'p/#?:@', database: 'my db' },
    ],
    ['me:p@ss:@h/db', { ...plain, password: 'p@ss:' }],
    ['h/db?user=me&password=se%26cret+', { ...plain, password: 'se&cret+' }],
    ['me:secret@other/other?host=h&port=5433&dbname=db', { ...plain, port: 5433 }],
    ['', { connection: {} }],
    ['/db', { database: 'db', connection: {} }],
    [':5433/db', { port: 5433, database: 'db', connection: {} }],
    ['/db?host=/var/run', { host: '/var/run', ssl: false, database: 'db', connection: {} }],
    ['me:secret@/db?host=/tmp&port=1&sslmode=require', { ...plain, host: '/tmp', port: 1, ssl: false }],
    ['me:secret@%2Ftmp/db', { ...plain, host: '/tmp', ssl: false }],
    ['[::1]/db', { host: ['::1'], port: [5432], database: 'db', connection: {} }],
    ['[::1]:5433/db', { host: ['::1'], port: [5433], database: 'db', connection: {} }],
    ['/db?host=::1', { host: ['::1'], port: [5432], database: 'db', connection: {} }],
    ['a:1,b,[::1]:2/db', { host: ['a', 'b', '::1'], port: [1, 5432, 2], database: 'db', connection: {} }],
    ['/db?host=a,b&port=7', { host: ['a', 'b'], port: [7, 7], database: 'db', connection: {} }],
  ])('postgresql://%s', (rest, options) => {
    const expected = { ssl: 'prefer', ...options }
    expect(read(rest)).toEqual(expected)
    expect(readUrl(`\n postgres://${rest} \r\n`)).toEqual(expected)
  })
})

describe('parameters', () => {
  test.each([
    'pgbouncer=false&connection_limit=1&pool_timeout=0&schema=public&socket_timeout=3',
    'supa=base-pooler.x&workaround=supabase-pooler.vercel&serverVersion=16&charset=utf8&pool=5',
    'channel_binding=prefer&gssencmode=disable&target_session_attrs=any&client_encoding=UTF8',
    'uselibpqcompat=true&keepalives=1&keepalives_idle=30&load_balance_hosts=random&sslmode=&&',
  ])('of another library, or without effect here, are not passed on: %s', query => {
    expect(read(`me:secret@h/db?${query}`)).toEqual(plain)
  })

  test.each<[query: string, options: object]>([
    ['pgbouncer=true', { prepare: false }],
    ['pgBouncer=true&statement_cache_size=0', { prepare: false }],
    ['connect_timeout=3&max=4&keep_alive=5', { connect_timeout: 3, max: 4, keep_alive: 5 }],
    ['target_session_attrs=read-write', { target_session_attrs: 'read-write' }],
    ['application_name=a%20b', { connection: { application_name: 'a b' } }],
    ['options=-c+a.b%3Dc%2Bd', { connection: { options: '-c a.b=c+d' } }],
    ['options=-c%20work_mem=1MB&x.y=1', { connection: { options: '-c work_mem=1MB', 'x.y': '1' } }],
    ['statement_timeout=5s', { connection: { statement_timeout: '5s' } }],
    ['sslmode=disable', { ssl: false }],
    ['sslmode=allow', { ssl: 'prefer' }],
    ['sslmode=prefer', { ssl: 'prefer' }],
    ['sslmode=require', { ssl: { rejectUnauthorized: false } }],
    ['sslmode=no-verify', { ssl: { rejectUnauthorized: false } }],
    ['ssl=require', { ssl: { rejectUnauthorized: false } }],
    ['sslmode=verify-ca', { ssl: { rejectUnauthorized: true } }],
    ['sslmode=verify-full', { ssl: { rejectUnauthorized: true } }],
    ['ssl=true', { ssl: { rejectUnauthorized: true } }],
    ['ssl=0', { ssl: false }],
    ['ssl=true&sslmode=require', { ssl: { rejectUnauthorized: false } }],
    ['sslrootcert=system&sslmode=require', { ssl: { rejectUnauthorized: true } }],
    ['sslaccept=strict', { ssl: { rejectUnauthorized: true } }],
    ['sslmode=require&channel_binding=require', { ssl: { rejectUnauthorized: true } }],
  ])('%s', (query, options) => {
    expect(read(`me:secret@h/db?${query}`)).toEqual({ ...plain, ...options })
  })

  const none = /^asks for what cannot be had here: /
  test.each<[query: string, message: RegExp]>([
    ['foo=bar', / here: foo\. /],
    ['service=prod&passfile=/x', / here: service, passfile\. /],
    ['schema=app', / here: schema\. /],
    ['sslcrl=x', none],
    ['gssencmode=require', none],
    ['require_auth=scram-sha-256', none],
    ['hostaddr=127.0.0.1', none],
    ['client_encoding=LATIN1', none],
    ['target_session_attrs=fast', none],
    ['ssl=maybe', / here: ssl\. /],
    ['sslmode=full', / here: sslmode\. /],
    ['sslmode=verify-full&sslrootcert=/nowhere.pem', /^has an sslrootcert that cannot be read: ENOENT$/],
    ['sslcert=/dev/null&sslkey=/nowhere', /^has an sslkey that cannot be read: ENOENT$/],
    ['sslcert=package.json', /^has sslcert without sslkey/],
    ['connect_timeout=soon&port=x', / here: connect_timeout, port\. /],
    ['host=/tmp,h', /^names a socket among several hosts$/],
  ])('that cannot be honoured are named: %s', (query, message) => {
    expect(() => read(`me:hunter2@h/db?${query}`)).toThrow(message)
    expect(() => read(`me:hunter2@h/db?${query}`)).not.toThrow(/hunter2/)
  })
})

test.each([
  'localhost',
  'mysql://me:hunter2@h/db',
  'postgresql:me:hunter2@h/db',
  'postgresql://me:7/hunter2@h/db',
  'postgresql://me:7#hunter2@h/db',
  'postgresql://me:7?hunter2@h/db',
  'postgresql://me:hunter2%@h/db',
  'postgresql://me:hunter2@h:port/db',
  'postgresql://me:hunter2@h:65536/db',
  'postgresql://me:hunter2@h h/db',
  'postgresql://me@h/db?password=7&hunter2=3',
])('%s is refused, and not repeated', url => {
  expect(() => readUrl(url)).toThrow(/^is not a URL of the form postgresql:.*percent-encoded$/)
  expect(() => readUrl(url)).not.toThrow(/hunter2/)
})

test.each([
  ['me:hunter2@h:1/db', 'me@h:1/db'],
  ['me:hunter2@hunter2:@h/db?sslmode=require', 'me@h/db'],
  ['m@e:hunter2@[::1]/db', 'm@e@[::1]/db'],
  [':hunter2@h/db', '@h/db'],
  ['h:5432/db', 'h:5432/db'],
  ['me@h:1,i:2/db', 'me@h:1,i:2/db'],
  ['me:hunter2@/db?host=/tmp&password=hunter2&port=2&passphrase=x', 'me@/db?host=/tmp&port=2'],
  ['/db?PASSWORD=hunter2&%70assword=hunter2&user=me', '/db?user=me'],
])('postgresql://%s is shown without its password', (rest, shown) => {
  expect(withoutPassword(`postgresql://${rest}`)).toBe(`postgresql://${shown}`)
})

test('for drizzle-kit, only what means nothing to it goes', () => {
  const url = 'postgresql://me:p@h/db?pgbouncer=true&sslmode=require&schema=public&application_name=a'
  expect(plainUrl(url)).toBe('postgresql://me:p@h/db?sslmode=require&application_name=a')
  expect(plainUrl('postgresql://h/db?pgbouncer=true')).toBe('postgresql://h/db')
})
