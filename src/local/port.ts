import { createServer } from 'node:net'

/** The preferred port of this machine if nothing has it, or else one that nothing has. */
export async function freePort(preferred = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', error => {
      if (preferred === 0) reject(error)
      else resolve(freePort())
    })
    server.listen({ host: '127.0.0.1', port: preferred, exclusive: true }, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : preferred
      server.close(() => resolve(port))
    })
  })
}
