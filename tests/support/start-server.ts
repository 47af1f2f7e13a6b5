// Starts a server in a process of its own and ends: node --import tsx tests/support/start-server.ts DIRECTORY [PORT]
import { startServer } from '../../src/local/server.ts'

const [directory = '', port = '0'] = process.argv.slice(2)
const notes: string[] = []
try {
  const server = await startServer({
    directory,
    port: Number(port),
    settings: { fsync: 'off' },
    onNote: note => notes.push(note),
  })
  console.log(JSON.stringify({ ...server, notes }))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
