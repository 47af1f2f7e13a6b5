import { stat } from 'node:fs/promises'
import { request } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Whether a Docker engine answers. At once where there is none; within two seconds where one hangs. */
export async function dockerAnswers(): Promise<boolean> {
  const { DOCKER_HOST, XDG_RUNTIME_DIR } = process.env
  if (DOCKER_HOST !== undefined && !DOCKER_HOST.startsWith('unix://')) {
    const { hostname, port } = new URL(DOCKER_HOST)
    // Over TLS an engine refuses this plain request, but it answers.
    return answers({ host: hostname, port: Number(port || 2375) })
  }
  const sockets =
    DOCKER_HOST !== undefined
      ? [DOCKER_HOST.slice('unix://'.length)]
      : [
          '/var/run/docker.sock',
          join(XDG_RUNTIME_DIR ?? '/nonexistent', 'docker.sock'),
          join(homedir(), '.docker/run/docker.sock'),
          join(homedir(), '.docker/desktop/docker.sock'),
        ]
  for (const socketPath of sockets) {
    if ((await stat(socketPath).catch(() => undefined)) && (await answers({ socketPath }))) return true
  }
  return false
}

function answers(where: { socketPath: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise(resolve => {
    const ping = request({ ...where, path: '/_ping', timeout: 2000 }, response => {
      response.resume()
      resolve(true)
    })
    ping.once('timeout', () => ping.destroy(new Error('no answer')))
    ping.once('error', () => resolve(false))
    ping.end()
  })
}
