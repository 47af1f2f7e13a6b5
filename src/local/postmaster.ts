import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Directory } from './directory.ts'
import { type Programs, spawnOptions } from './programs.ts'

/** What the server's pid file says. `serving` is false after a crash, even if another process now has that id. */
export async function readPidFile(data: string) {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const [first, , , port, , , , status] = text.split('\n')
  const pid = Number(first)
  if (!(pid > 0)) return undefined
  const serving = await isPostmaster(pid, data)
  return { pid, port: Number(port), serving, ready: serving && status?.trim() === 'ready' }
}

/** Whether the process is the server of this data. */
export async function isPostmaster(pid: number, data: string): Promise<boolean> {
  // The working directory is right even if the project was moved, but in some containers root cannot see it.
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  if (directory !== undefined) return directory === (await realpath(data).catch(() => data))
  const ps = async () => (await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)])).stdout
  const line = process.platform === 'linux' ? readFile(`/proc/${pid}/cmdline`, 'utf8') : ps()
  return (await line.catch(() => '')).includes(data)
}

/**
 * Starts a server that outlives this process. `stale` is the id in the pid file of a server that has crashed.
 * pg_ctl would pass paths through a shell, take a stale id for a server, and check only every 100 ms.
 */
export async function launch(directory: Directory, programs: Programs, args: string[], stale = 0) {
  const { env, ...options } = spawnOptions(programs.account)
  const log = await open(directory.log, 'a', 0o600)
  const { size } = await log.stat()
  const server = spawn(programs.postgres, ['-D', directory.data, ...args], {
    ...options,
    // PostgreSQL does not start while the process in its pid file is alive, unless it is this one.
    env: { ...env, PG_GRANDPARENT_PID: String(stale) },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  server.unref()
  await once(server, 'spawn').finally(() => log.close())
  /** What the log says about why it ended. Undefined while it runs. */
  const problem = async () => {
    if (server.exitCode === null && server.signalCode === null) return undefined
    const lines = (await readFile(directory.log)).subarray(size).toString().split('\n')
    return lines.filter(line => line.includes(`[${server.pid}]`)).join('\n')
  }
  return { pid: server.pid, problem }
}
