// Starts a server in a process of its own and ends: node start-server.js DIRECTORY
import { startServer } from '../../src/local/server.ts'

const notes: string[] = []
try {
  const server = await startServer({
    directory: process.argv[2] ?? '',
    port: 0,
    settings: { fsync: 'off' },
    onNote: note => notes.push(note),
  })
  console.log(JSON.stringify({ ...server, notes }))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
