import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type ListenOptions, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

import { promisify } from 'node:util'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createDatabase } from '../../src/index.ts'
import { runCli } from '../support/cli.ts'
import { sharedDatabase } from '../support/database.ts'
import { ownDirectory, sharedDirectory } from '../support/folder.ts'

const database = sharedDatabase()

/** Passes connections on to the server, as a pooler or a load balancer would; with a certificate, over TLS only. */
async function door(listen: ListenOptions, tls?: TlsOptions) {
  const { hostname, port } = new URL(database.url)
  const pass = (client: Socket) => {
    const behind = connect(Number(port), hostname)
    client.pipe(behind).pipe(client)
    const end = () => [client, behind].map(socket => socket.destroy())
    for (const socket of [client, behind]) socket.on('error', end).on('close', end)
  }
  const secured = createTlsServer({ ...tls }, pass).on('tlsClientError', (_, socket) => socket.destroy())
  const server = createServer(client => {
    if (!tls) return pass(client)
    client.once('data', () => {
      client.write('S')
      secured.emit('connection', client)
    })
  }).listen(listen)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** Opens a URL with the rights of the test's own, and says which database it is. */
async function whichDatabase(rest: (userinfo: string, name: string) => string) {
  const { username, password, pathname } = new URL(database.url)
  const db = createDatabase(`postgresql://${rest(`${username}:${password}`, pathname.slice(1))}`, {
    max: 1,
  })
  try {
    const [row] = await db.$client`select current_database() as name`
    return row!.name
  } finally {
    await db.$client.end()
  }
}

test('a socket is found in the host, in either form', async () => {
  const directory = await ownDirectory()
  await door({ path: join(directory, '.s.PGSQL.5433') })
  const encoded = encodeURIComponent(directory)
  for (const rest of [
    (user: string, name: string) => `${user}@/${name}?host=${directory}&port=5433`,
    (user: string, name: string) => `${user}@localhost:5433/${name}?host=${directory}&sslmode=require`,
    (user: string, name: string) => `${user}@${encoded}:5433/${name}`,
  ])
    expect(await whichDatabase(rest)).toBe(database.name)
})

test('an IPv6 address is one, with its port', async () => {
  const port = await door({ host: '::1', port: 0 })
  expect(await whichDatabase((user, name) => `${user}@[::1]:${port}/${name}`)).toBe(database.name)
})

test('of several hosts, one that answers serves', async () => {
  const port = await door({ host: '127.0.0.1', port: 0 })
  expect(await whichDatabase((user, name) => `${user}@127.0.0.1:1,127.0.0.1:${port}/${name}`)).toBe(
    database.name,
  )
})

test('settings arrive at the server', async () => {
  const query =
    'application_name=mine&options=-c%20statement_timeout%3D7s%20-c%20a.b%3Dc&pgbouncer=true&schema=public'
  const db = createDatabase(`${database.url}?${query}`, {
    max: 1,
    connection: { application_name: 'default' },
  })
  onTestFinished(() => db.$client.end())
  const [row] = await db.$client`
    select current_setting('application_name') as name, current_setting('statement_timeout') as timeout,
           current_setting('a.b') as own`
  expect(row).toEqual({ name: 'mine', timeout: '7s', own: 'c' })
})

describe('TLS', () => {
  const directory = sharedDirectory()
  const ours = { cert: '', key: '' }
  const theirs = { cert: '', key: '' }

  beforeAll(async () => {
    for (const [name, made] of Object.entries({ ours, theirs })) {
      const [cert, key] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)]
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
      const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ')
      await promisify(execFile)('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert])
      Object.assign(made, { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') })
    }
  })

  async function connectTo(host: string, query: string, server: TlsOptions) {
    const port = await door({ host, port: 0 }, server)
    const parameters = query.replaceAll('DIR', directory)
    const connected = whichDatabase((user, name) => `${user}@${host}:${port}/${name}?${parameters}`)
    return await connected.then(
      () => 'connected',
      error => error.code,
    )
  }

  const [unknown, misnamed] = ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID']
  test.each([
    ['localhost', '', 'connected'],
    ['localhost', 'sslmode=require', 'connected'],
    ['localhost', 'sslmode=prefer', 'connected'],
    ['localhost', 'sslmode=no-verify', 'connected'],
    ['localhost', 'sslmode=verify-full', unknown],
    ['localhost', 'sslmode=require&channel_binding=require', unknown],
    ['localhost', 'sslmode=require&channel_binding=require&sslrootcert=DIR/ours.pem', 'connected'],
    ['localhost', 'sslmode=verify-full&sslrootcert=DIR/ours.pem', 'connected'],
    ['localhost', 'sslmode=verify-full&sslrootcert=DIR/theirs.pem', unknown],
    ['localhost', 'sslrootcert=DIR/ours.pem', 'connected'],
    ['localhost', 'sslrootcert=DIR/theirs.pem', unknown],
    ['127.0.0.1', 'sslmode=require&sslrootcert=DIR/ours.pem', 'connected'],
    ['127.0.0.1', 'sslmode=require&sslrootcert=DIR/theirs.pem', unknown],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=DIR/ours.pem', 'connected'],
    // postgres.js alone would look for "localhost".
    ['127.0.0.1', 'sslmode=verify-full&sslrootcert=DIR/ours.pem', misnamed],
  ])('%s with %s', async (host, query, outcome) => {
    expect(await connectTo(host, query, ours)).toBe(outcome)
  })

  test('the command says what is wrong with it', async () => {
    const port = await door({ host: 'localhost', port: 0 }, ours)
    const env = { DATABASE_URL: `postgresql://me@localhost:${port}/db?sslmode=verify-full` }
    const { code, stderr } = await runCli(['status'], { env })
    expect(stderr).toMatch(
      /^no TLS with PostgreSQL: self-signed certificate \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. .*sslrootcert/,
    )
    expect(code).toBe(1)
  })

  test("a client's certificate is shown to a server that asks for one", async () => {
    const asking = { ...ours, ca: theirs.cert, requestCert: true, maxVersion: 'TLSv1.2' as const }
    const pair = 'sslcert=DIR/theirs.pem&sslkey=DIR/theirs.key'
    expect(await connectTo('localhost', `sslmode=require&${pair}`, asking)).toBe('connected')
    expect(await connectTo('localhost', 'sslmode=require', asking)).not.toBe('connected')
  })
})

test.each<[form: string, write: (url: string) => string | Buffer]>([
  ['plain', url => `DATABASE_URL=${url}\n`],
  ['with a byte order mark', url => `\uFEFFDATABASE_URL=${url}\n`],
  ['as PowerShell writes it', url => Buffer.from(`\uFEFFDATABASE_URL=${url}\r\n`, 'utf16le')],
  ['exported', url => `export DATABASE_URL='${url}'\n`],
  ['in quotes, with CRLF', url => `OTHER="a b"\r\nDATABASE_URL="${url}"\r\n`],
  ['with spaces', url => ` DATABASE_URL = "${url} "\n`],
])('.env is read %s', async (_, write) => {
  const cwd = await ownDirectory()
  await writeFile(join(cwd, '.env'), write(`${database.url}?pgbouncer=true&schema=public`))
  const { code, stdout, stderr } = await runCli(['status'], { cwd })
  expect({ code, stdout, stderr }).toEqual({
    code: 3,
    stdout: expect.stringMatching(/^pending /),
    stderr: '',
  })
})
