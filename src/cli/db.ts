import { findServer, resetServer, startServer, stopServer } from '../local/server.ts'
import { type Command, exitCodes, self, UsageError } from './command.ts'
import { confirm } from './confirm.ts'
import { configuredUrl, localDirectory, localServer } from './connect.ts'
import type { Output } from './output.ts'

const actions = ['start', 'stop', 'url', 'reset'] as const

export const command: Command = {
  positionals: true,
  options: { port: { type: 'string' }, yes: { type: 'boolean' } },
  explain: {
    port: 'the port to start on, and to remember; AGENTS_DB_PORT sets it for every command',
    yes: 'do not ask before a reset',
  },
  async run({ positionals, values }, output) {
    const [action, ...rest] = positionals
    const port = values.port === undefined ? undefined : String(values.port)
    if (rest.length > 0) throw new UsageError(`db takes one word, not ${positionals.length}`)
    if (port !== undefined && (action === 'stop' || action === 'url'))
      throw new UsageError('--port goes with start and reset')
    switch (action) {
      case 'start':
        return await start(port, output)
      case 'stop':
        return await stop(output)
      case 'url':
        return await url(output)
      case 'reset':
        return await reset(port, values.yes === true, output)
      default:
        throw new UsageError(`${['db', action].filter(Boolean).join(' ')}: say one of ${actions.join(', ')}`)
    }
  },
}

async function start(wanted: string | undefined, output: Output): Promise<number> {
  const { started, url, port } = await startServer(localServer(output, wanted))
  output.note(started ? `started on port ${port}` : `already running on port ${port}`)
  output.line(url)
  output.result({ url, port, started })
  return exitCodes.done
}

async function stop(output: Output): Promise<number> {
  const stopped = await stopServer(localDirectory)
  output.line(stopped ? 'stopped' : 'it was not running')
  output.result({ stopped })
  return exitCodes.done
}

async function url(output: Output): Promise<number> {
  const server = await findServer(localDirectory)
  if (server === undefined)
    throw new Error(`the local PostgreSQL is not running here: start it with \`${self} db start\``)
  output.line(server.url)
  output.result({ url: server.url, port: server.port })
  return exitCodes.done
}

/** Only ever the local server: a database that DATABASE_URL names is not touched. */
async function reset(wanted: string | undefined, yes: boolean, output: Output): Promise<number> {
  const options = localServer(output, wanted)
  if (configuredUrl() !== undefined)
    output.note('DATABASE_URL is set; what is reset is the local server, not that database')
  await confirm(`Throw away all data of the local server, in ${localDirectory}?`, yes)
  const { url, port } = await resetServer(options)
  output.note(`emptied and started on port ${port}; \`migrate\` and \`seed\`, or \`start\`, fill it again`)
  output.line(url)
  output.result({ url, port })
  return exitCodes.done
}
