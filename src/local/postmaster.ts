import { execFile, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { open, readFile, readlink, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Account, spawnOptions } from './account.ts'
import { ignore } from './place.ts'
import { freePort } from './port.ts'
import { isAlive, temporaryName } from './temporary.ts'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
const PATIENCE = 120_000
const INTERVAL = 20

/** A data directory on its way to be served. */
export interface Launch {
  program: string
  data: string
  log: string
  account: Account
  /** Taken if it is free; 0 for any. */
  port: number
  settings: Record<string, string>
}

interface PidFile {
  pid: number
  port: number
  status: string
}

/** The port of the server that serves `data`, once it takes connections; undefined if there is none. */
export async function findPort(data: string): Promise<number | undefined> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(INTERVAL)) {
    const found = await readPidFile(data)
    if (found === undefined || !(await isPostmaster(found.pid, data))) return undefined
    if (found.status === 'ready') return found.port
  }
  throw new Error(`The local server has been starting or stopping for ${PATIENCE / 1000} s in ${data}`)
}

/** Starts a server that outlives this process: its port, once it takes connections, or why it did not start. */
export async function launch(o: Launch): Promise<{ port: number } | { failure: string }> {
  await removeStalePidFile(o.data)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(o.port)
    const failure = await launchOn(port, o)
    if (failure === undefined) return { port }
    // Between the choice and the start, somebody else may have taken the port.
    if (!failure.includes('Address already in use') || attempt === 5) return { failure }
  }
}

async function launchOn(port: number, o: Launch): Promise<string | undefined> {
  const options = Object.entries(o.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = await open(o.log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
  try {
    if (o.account.other) await log.chown(o.account.uid, o.account.gid)
    // Not through pg_ctl, which passes paths and settings through a shell. This is what else it does.
    const server = spawn(o.program, ['-D', o.data, '-p', String(port), ...options], {
      ...spawnOptions(o.account),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    let ended: string | undefined
    server.once('error', error => {
      ended = error.message
    })
    server.once('exit', (code, signal) => {
      ended = `it ended with ${signal ?? `exit code ${code}`}`
      // What the loader of programs says where a library is not in its place.
      if (code === 127) ended += ': has the install script of its package been allowed to run? (allowBuilds)'
    })
    server.unref()
    for (const end = Date.now() + PATIENCE; ended === undefined && Date.now() < end; await delay(INTERVAL)) {
      const found = await readPidFile(o.data)
      if (found !== undefined && found.pid === server.pid && found.status === 'ready') return undefined
    }
    const said = await lastLines(o.log, server.pid)
    return [ended ?? `it was not ready after ${PATIENCE / 1000} s`, ...said].join('\n')
  } finally {
    await log.close()
  }
}

/** Stops the server that serves `data`; false if there was none. SIGINT breaks connections off and keeps the data. */
export async function halt(data: string, signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<boolean> {
  const found = await readPidFile(data)
  if (found === undefined || !(await isPostmaster(found.pid, data))) return false
  process.kill(found.pid, signal)
  for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(INTERVAL)) {
    if (!(await isPostmaster(found.pid, data))) return true
  }
  throw new Error(`The local server (pid ${found.pid}) did not stop within ${PATIENCE / 1000} s`)
}

async function readPidFile(data: string): Promise<PidFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(ignore('ENOENT'))
  const [pid, , , port, , , , status] = text?.split('\n') ?? []
  return Number(pid) > 0 ? { pid: Number(pid), port: Number(port), status: status?.trim() ?? '' } : undefined
}

/** Whether the process is the one that serves `data`: a number in a file may by now be anybody's. */
async function isPostmaster(pid: number, data: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return isPostmasterByPs(pid, data)
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(ignore('ENOENT', 'ESRCH', 'EACCES'))
  const words = line?.split('\0') ?? []
  if (basename(words[0] ?? '') !== 'postgres') return false
  // The working directory follows a project that is moved while its server runs.
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return directory === undefined ? words.includes(data) : directory === data
}

async function isPostmasterByPs(pid: number, data: string): Promise<boolean> {
  const ps = promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)])
  // Without ps the pid file is believed.
  return ps.then(
    ({ stdout }) => stdout.includes(data),
    error => error.code === 'ENOENT',
  )
}

/**
 * PostgreSQL copes with the pid file of a dead process, but not with one whose number another process has by now.
 * Renamed before it is removed: if a new server's file was caught instead, it goes back at once.
 */
async function removeStalePidFile(data: string): Promise<void> {
  const found = await readPidFile(data)
  if (found === undefined || !isAlive(found.pid) || (await isPostmaster(found.pid, data))) return
  const file = join(data, 'postmaster.pid')
  const aside = temporaryName(file)
  await rename(file, aside).catch(ignore('ENOENT'))
  const caught = await readFile(aside, 'utf8').catch(ignore('ENOENT'))
  if (caught !== undefined && Number.parseInt(caught, 10) !== found.pid) await rename(aside, file)
  else await rm(aside, { force: true })
}

async function lastLines(log: string, pid: number | undefined): Promise<string[]> {
  const { size } = await stat(log)
  const handle = await open(log)
  try {
    const start = Math.max(0, size - 16_384)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    return lines.filter(line => line.includes(`[${pid}]`)).slice(-8)
  } finally {
    await handle.close()
  }
}
