import { findServer, resetServer, startServer, stopServer } from '../local/server.ts'
import type { Define } from './cli.ts'
import { confirm } from './confirm.ts'
import { configuredUrl, localDirectory, localServer } from './connect.ts'
import { port } from './options.ts'

export const define: Define = (command, cli) => {
  command.helpCommand(false)
  command
    .command('start')
    .description('start it if it is not running, and print its URL')
    .option(...port)
    .action(async options => {
      const { url, port, started } = await startServer(localServer({ ...cli, ...options }))
      cli.note(started ? `started on port ${port}` : `already running on port ${port}`)
      cli.line(url)
      cli.finish({ url, port, started })
    })
  command
    .command('stop')
    .description('stop it')
    .action(async () => {
      const stopped = await stopServer(localDirectory(cli.io))
      cli.line(stopped ? 'stopped' : 'it was not running')
      cli.finish({ stopped })
    })
  command
    .command('url')
    .description('print its URL')
    .action(async () => {
      const server = await findServer(localDirectory(cli.io))
      if (!server) throw new Error(`the local PostgreSQL is not running; \`${cli.self} db start\` starts it`)
      cli.line(server.url)
      cli.finish({ url: server.url, port: server.port })
    })
  command
    .command('reset')
    .description('delete its data and start it, empty')
    .option(...port)
    .option('--yes', 'do not ask')
    .action(async ({ yes, ...given }) => {
      const options = localServer({ ...cli, ...given })
      if (configuredUrl(cli.io) !== undefined) {
        cli.note('DATABASE_URL is set, but this resets the local server, not that database')
      }
      await confirm(cli, `Delete all data of the local server in ${options.directory}?`, yes)
      const { url, port } = await resetServer(options)
      cli.note(`started empty on port ${port}; \`${cli.self} start\` fills it`)
      cli.line(url)
      cli.finish({ url, port })
    })
}
